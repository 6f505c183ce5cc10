#include "evidence/external/error.h"

namespace coffer::evidence::external {

std::string_view code_name(ExternalError code) {
  switch (code) {
    case ExternalError::bad_type: return "external.bad_type";
    case ExternalError::unknown_type: return "external.unknown_type";
    case ExternalError::unreachable: return "external.unreachable";
    case ExternalError::wrong_peer: return "external.wrong_peer";
    case ExternalError::timeout: return "external.timeout";
    case ExternalError::bad_answer: return "external.bad_answer";
    case ExternalError::refused: return "external.refused";
  }
  return "external.unknown";
}

}  // namespace coffer::evidence::external

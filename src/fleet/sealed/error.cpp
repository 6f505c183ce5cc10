#include "fleet/sealed/error.h"

#include <utility>

namespace coffer::fleet::sealed {

std::string_view code_name(SealedError code) {
  switch (code) {
    case SealedError::not_sealed: return "sealed.not_sealed";
    case SealedError::bad_envelope: return "sealed.bad_envelope";
    case SealedError::unsupported_version: return "sealed.unsupported_version";
    case SealedError::wrong_topic: return "sealed.wrong_topic";
    case SealedError::unknown_key: return "sealed.unknown_key";
    case SealedError::bad_tag: return "sealed.bad_tag";
    case SealedError::stale: return "sealed.stale";
    case SealedError::from_the_future: return "sealed.from_the_future";
    case SealedError::replayed: return "sealed.replayed";
    case SealedError::no_key: return "sealed.no_key";
    case SealedError::bad_key_list: return "sealed.bad_key_list";
    case SealedError::exposed_key_file: return "sealed.exposed_key_file";
    case SealedError::unreadable_key_file: return "sealed.unreadable_key_file";
  }
  std::unreachable();
}

}  // namespace coffer::fleet::sealed

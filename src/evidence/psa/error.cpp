#include "evidence/psa/error.h"

namespace coffer::evidence::psa {

std::string_view code_name(PsaError code) {
  switch (code) {
    case PsaError::not_a_token: return "psa.not_a_token";
    case PsaError::bad_claims: return "psa.bad_claims";
    case PsaError::unknown_profile: return "psa.unknown_profile";
    case PsaError::untrusted_platform: return "psa.untrusted_platform";
    case PsaError::bad_signature: return "psa.bad_signature";
    case PsaError::wrong_instance: return "psa.wrong_instance";
    case PsaError::not_secured: return "psa.not_secured";
  }
  return "psa.unknown";
}

}  // namespace coffer::evidence::psa

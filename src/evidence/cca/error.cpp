#include "evidence/cca/error.h"

namespace coffer::evidence::cca {

std::string_view code_name(CcaError code) {
  switch (code) {
    case CcaError::not_a_token: return "cca.not_a_token";
    case CcaError::bad_platform_token: return "cca.bad_platform_token";
    case CcaError::bad_realm_token: return "cca.bad_realm_token";
    case CcaError::bad_platform_claims: return "cca.bad_platform_claims";
    case CcaError::bad_realm_claims: return "cca.bad_realm_claims";
    case CcaError::unknown_profile: return "cca.unknown_profile";
    case CcaError::untrusted_platform: return "cca.untrusted_platform";
    case CcaError::platform_signature: return "cca.platform_signature";
    case CcaError::bad_realm_key: return "cca.bad_realm_key";
    case CcaError::realm_signature: return "cca.realm_signature";
    case CcaError::unbound_realm_key: return "cca.unbound_realm_key";
    case CcaError::not_secured: return "cca.not_secured";
  }
  return "cca.unknown";
}

}  // namespace coffer::evidence::cca

#include "codec/jose/jwk.h"

namespace coffer::codec::jose {

std::string_view code_name(JoseError code) {
  switch (code) {
    case JoseError::malformed: return "jose.malformed";
    case JoseError::bad_key: return "jose.bad_key";
    case JoseError::algorithm_not_allowed: return "jose.algorithm_not_allowed";
    case JoseError::bad_signature: return "jose.bad_signature";
    case JoseError::decryption_failed: return "jose.decryption_failed";
    case JoseError::critical_header: return "jose.critical_header";
    case JoseError::expired: return "jose.expired";
    case JoseError::not_yet_valid: return "jose.not_yet_valid";
    case JoseError::missing_claim: return "jose.missing_claim";
    case JoseError::wrong_claim: return "jose.wrong_claim";
  }
  return "jose.unknown";
}

}  // namespace coffer::codec::jose

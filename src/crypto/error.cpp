#include "crypto/error.h"

namespace coffer::crypto {

std::string_view code_name(CryptoError code) {
  switch (code) {
    case CryptoError::bad_key: return "crypto.bad_key";
    case CryptoError::bad_parameter: return "crypto.bad_parameter";
    case CryptoError::bad_signature: return "crypto.bad_signature";
    case CryptoError::bad_tag: return "crypto.bad_tag";
    case CryptoError::unsupported: return "crypto.unsupported";
    case CryptoError::bad_certificate: return "crypto.bad_certificate";
    case CryptoError::untrusted: return "crypto.untrusted";
    case CryptoError::not_valid_at_time: return "crypto.not_valid_at_time";
    case CryptoError::revoked: return "crypto.revoked";
    case CryptoError::internal: return "crypto.internal";
  }
  return "crypto.internal";
}

}  // namespace coffer::crypto

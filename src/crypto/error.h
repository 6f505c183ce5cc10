#pragma once

#include "base/result.h"

namespace coffer::crypto {

enum class CryptoError {
  bad_key,            // a key of the wrong kind, size, curve, or that does not parse
  bad_parameter,      // an IV, nonce, salt or length out of its range
  bad_signature,      // a signature that does not verify
  bad_tag,            // an AEAD tag or key-wrap integrity value that does not hold
  unsupported,        // an algorithm this build does not offer for this use
  bad_certificate,    // a certificate that does not parse
  untrusted,          // a chain that does not end in a given anchor, or breaks on the way
  not_valid_at_time,  // a chain with an expired or not yet valid certificate at the stated time
  revoked,            // a certificate that a given CRL lists
  internal,           // the library refused for a reason of its own
};
std::string_view code_name(CryptoError code);

}  // namespace coffer::crypto

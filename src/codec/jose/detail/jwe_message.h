// A JWE taken apart and checked as far as that goes without a key (RFC 7516 sections 5.2 and 7).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/jose/jwk.h"

namespace coffer::codec::jose::detail {

struct JweRecipient {
  json::Object header;  // protected, shared unprotected and the recipient's own, joined
  std::string alg;
  Bytes encrypted_key;
  std::size_t content_key_size;  // bytes, by "enc": 16, 24 or 32
};

struct JweMessage {
  std::string aad;  // ASCII: the protected text as received, and "." and the aad text where there is one
  Bytes iv;
  Bytes ciphertext;
  Bytes tag;
  std::vector<JweRecipient> recipients;  // at least one

  // Compact, flattened or general. malformed, critical_header, or algorithm_not_allowed for an unknown "enc" and "zip".
  static Result<JweMessage> parse(std::string_view text);
};

}  // namespace coffer::codec::jose::detail

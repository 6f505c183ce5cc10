// Statements under an attested key: a compact JWS (RFC 7515) of claims whose "typ" keeps the kinds apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "crypto/keys.h"
#include "fleet/detail/members.h"

namespace coffer::fleet::detail {

// By the algorithm of the key's kind: ES256, ES384, ES512, PS256.
Result<std::string> sign_statement(std::string_view type, const codec::json::Object& claims,
                                   const crypto::PrivateKey& key);
// The claims. FleetError::bad_proof where it is longer than `longest`, signed by another key, or of another type.
Result<codec::json::Object> open_statement(std::string_view type, std::string_view jws, const crypto::PublicKey& key,
                                           std::size_t longest = 16U << 10);
// "iat": present, and in a range in which differences cannot overflow.
Result<std::int64_t> issued_at(const Members& members);

}  // namespace coffer::fleet::detail

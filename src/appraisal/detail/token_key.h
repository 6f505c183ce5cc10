// Which key a token's signature is checked with, and where its claims keep the TEE's public key (trustee.md 2).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "appraisal/detail/anchors.h"
#include "codec/jose/jws.h"

namespace coffer::appraisal::detail {

struct SigningKey {
  crypto::PublicKey key;
  std::vector<crypto::SignatureAlgorithm> allowed;
  std::optional<TimePoint> valid_until{};  // the earliest notAfter of its chain
};

// A header with `jwk` is held to its x5c chain and the trusted certificates; one without is looked up by `kid`.
Result<SigningKey> signing_key(const codec::json::Object& header, const Anchors& anchors, TimePoint now);

// The first pointer that leads to an object: `extra` first, then upstream's order.
std::optional<codec::json::Object> tee_public_key(const codec::json::Object& claims,
                                                  std::span<const std::string> extra);

}  // namespace coffer::appraisal::detail

// Hygon DCU accelerators: read and named, never accepted. Verifying takes SM2 signatures over Hygon's own certificates,
// of which this build has neither. Evidence as upstream's attester makes it (trustee.md 7).
#pragma once

#include <memory>

#include "evidence/options.h"

namespace coffer::evidence::hygondcu {

// verify() is malformed or not_supported.
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);

struct Report {
  std::uint64_t version = 0;
  Bytes chip_id{};    // 16 bytes
  Bytes user_data{};  // 64 bytes
  Bytes measure{};    // 32 bytes
  Bytes reserved{};   // 128 bytes
  std::uint64_t sig_usage = 0;
  std::uint64_t sig_algo = 0;
  Bytes signature{};  // r and s of 72 bytes each, little-endian
};
// One for each device, 1 to 32.
Result<std::vector<Report>> parse_evidence(const codec::json::Value& evidence);

}  // namespace coffer::evidence::hygondcu

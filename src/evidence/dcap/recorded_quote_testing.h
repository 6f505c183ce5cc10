// What the tests of recorded quotes of TDs and enclaves share. Collateral stands beside some of them.
#pragma once

#include <gtest/gtest.h>

#include "evidence/dcap/collateral.h"
#include "evidence/dcap/engine.h"
#include "evidence/mutation_testing.h"
#include "evidence/options.h"
#include "testing/vectors.h"

namespace coffer::evidence::dcap {

// A time at which the recorded collateral held.
inline const TimePoint recorded = parse_rfc3339("2025-06-20T00:00:00Z").value();

inline VerifierOptions with_collateral_of(std::string_view file) {
  VerifierOptions options;
  options.collateral = collateral_from_json(coffer::testing::read_vector(file)).value();
  return options;
}

// PEM is text with room for change that changes nothing (white space, padding bits), so the chain is left out.
inline void expect_every_changed_byte_of_quote_refused(TeeKind kind, const VerifierOptions& options,
                                                       const Bytes& valid) {
  const auto engine = Engine::create(kind, options).value();
  const auto parsed = parse_quote(valid).value();
  const auto pem = static_cast<std::size_t>(parsed.pck_chain.data() - valid.data());
  const std::array ignored{ByteRange{pem, pem + parsed.pck_chain.size()}};
  const auto accepts = [&](ByteView bytes) {
    const auto quote = parse_quote(bytes);
    return quote && engine->appraise(*quote, recorded).has_value();
  };
  expect_every_changed_byte_refused(valid, accepts, ignored);
}

// One TEE's verifier, with the collateral of its own recorded quote unless a test says otherwise.
template <TeeKind kind, auto make_verifier>
struct Recorded {
  static Result<std::vector<Claims>> verify(const codec::json::Value& evidence, const VerifierOptions& options,
                                            const Binding& binding = {}, TimePoint at = recorded) {
    return make_verifier(kind, options).value()->verify(evidence, binding, at);
  }
  static Error refusal(const codec::json::Value& evidence, const VerifierOptions& options, const Binding& binding = {},
                       TimePoint at = recorded) {
    auto claims = verify(evidence, options, binding, at);
    EXPECT_FALSE(claims) << "accepted";
    return claims ? Error{EvidenceError::no_device, "accepted"} : claims.error();
  }
};

}  // namespace coffer::evidence::dcap

// A simulated platform for each product line, made once, and verifiers that take its root.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "evidence/snp/simulate.h"
#include "evidence/snp/snp.h"

namespace coffer::evidence::snp {

using namespace std::chrono_literals;

inline const TimePoint start = from_unix_seconds(1'767'225'600);  // 2026-01-01
inline const TimePoint now = start + 24h * 30;

template <std::size_t size>
Field<size> filled(unsigned char value) {
  Field<size> out;
  out.fill(std::byte{value});
  return out;
}

inline const SimulatorRoot& root() {
  static const auto made = make_simulator_root(start).value();
  return made;
}

inline PlatformOptions platform_options(Product product, SigningKey key = SigningKey::vcek) {
  return {
      .product = product, .signing_key = key, .not_before = start, .not_after = start + 24h * 365, .rsa_bits = 2048};
}

inline const SimulatedPlatform& platform(Product product = Product::milan, SigningKey key = SigningKey::vcek) {
  static std::map<std::pair<Product, SigningKey>, SimulatedPlatform> made;
  const auto found = made.find({product, key});
  if (found != made.end()) return found->second;
  auto fresh = SimulatedPlatform::create(root(), platform_options(product, key));
  EXPECT_TRUE(fresh) << to_string(fresh.error());
  return made.emplace(std::pair{product, key}, *std::move(fresh)).first->second;
}

inline const Field<64> nonce = filled<64>(0x5a);

// Holds in all; tests break one thing.
inline Evidence valid(const Faults& faults = {}, std::uint32_t version = 3, const SimulatedPlatform& on = platform()) {
  const GuestOptions guest{.version = version, .measurement = filled<48>(0x11), .host_data = filled<32>(0x22)};
  auto made = simulate(on, guest, faults, nonce);
  EXPECT_TRUE(made) << to_string(made.error());
  return *std::move(made);
}

// The report of `evidence` after `change`, signed again by the platform.
Evidence resigned(Evidence evidence, const std::function<void(Report&)>& change,
                  const SimulatedPlatform& on = platform());

inline VerifierOptions simulated_options() {
  VerifierOptions out;
  out.simulator_roots = {root().certificate};
  out.simulated_tees = {TeeKind::snp};
  return out;
}

inline Result<std::vector<Claims>> verify(const Evidence& evidence, const Binding& binding = {},
                                          const VerifierOptions& options = simulated_options(), TimePoint at = now) {
  auto verifier = make_verifier(TeeKind::snp, options);
  if (!verifier) return fail(verifier.error());
  return (*verifier)->verify(evidence.to_json(), binding, at);
}

inline Error refusal(const Evidence& evidence, const Binding& binding = {},
                     const VerifierOptions& options = simulated_options(), TimePoint at = now) {
  auto claims = verify(evidence, binding, options, at);
  EXPECT_FALSE(claims) << "accepted";
  return claims ? Error{EvidenceError::no_device, "accepted"} : claims.error();
}

// What a test puts into it, by kind and key; counts how often each is asked for.
class FakeCollateral final : public Collateral {
 public:
  Result<std::shared_ptr<const CollateralBlob>> get(const CollateralItem& item, TimePoint at) override;
  std::map<std::string, Bytes> items{};  // "amd-vcek/<key>"
  std::vector<CollateralItem> asked{};
};

}  // namespace coffer::evidence::snp

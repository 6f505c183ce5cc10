// What the tests of "simulated:tdx" and "simulated:sgx" start from: a simulator's directory, the attester that is
// chosen by that name, and a broker's verifier that takes the simulator's root.
#pragma once

#include <gtest/gtest.h>

#include "evidence/dcap/simulate.h"
#include "evidence/options.h"
#include "evidence/simulator_settings.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::dcap {

template <TeeKind kind, auto make_simulator, auto make_verifier>
class SimulatedTee : public ::testing::Test {
 protected:
  static inline const Bytes digest = Bytes(48, std::byte{0x11});

  void SetUp() override {
    ASSERT_TRUE(write_simulator_root(directory(), make_simulator_root(system_clock().now()).value()));
    attester_ = make_simulator(kind, {.simulator_directory = directory()}).value();
    ASSERT_TRUE(attester_->attest(digest));  // makes the CA and its collateral
    options_.simulator_roots.push_back(load_simulator_root(directory()).value().certificate);
    options_.simulated_tees = {kind};
    options_.collateral = collateral_from_file(collateral_file()).value();
  }

  const std::filesystem::path& directory() const { return directory_.path(); }
  std::filesystem::path collateral_file() const { return directory() / simulated_collateral_file; }
  void dial(std::vector<std::string> faults, codec::json::Object values = {}) {
    ASSERT_TRUE(save_simulator_settings(directory(), kind, {std::move(faults), std::move(values)}));
  }
  std::unique_ptr<Verifier> verifier() const { return make_verifier(kind, options_).value(); }
  Result<std::vector<Claims>> verify(const Binding& binding = {digest, {}}) {
    const auto evidence = TRY(attester_->attest(digest));
    return verifier()->verify(evidence, binding, system_clock().now());
  }
  codec::json::Value claims() {
    auto found = verify();
    EXPECT_TRUE(found) << to_string(found.error());
    return found ? found->front().claims : codec::json::Object{};
  }
  Error refusal(const Binding& binding = {digest, {}}) {
    auto found = verify(binding);
    EXPECT_FALSE(found) << "accepted";
    return found ? Error{EvidenceError::no_device, "accepted"} : found.error();
  }
  void expect_bad_config(std::vector<std::string> faults, codec::json::Object values) {
    dial(std::move(faults), std::move(values));
    const auto evidence = attester_->attest(digest);
    ASSERT_FALSE(evidence);
    EXPECT_EQ(evidence.error().code, EvidenceError::bad_config);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Attester> attester_;
  VerifierOptions options_;
};

}  // namespace coffer::evidence::dcap

#include "evidence/nvidia/simulate.h"

#include <gtest/gtest.h>

#include "evidence/nvidia/nvidia.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::nvidia {
namespace {

const Bytes digest(48, std::byte{0x33});

class NvidiaSimulator : public testing::Test {
 protected:
  NvidiaSimulator() {
    EXPECT_TRUE(write_simulator_root(directory_.path(), root_));
    options_.simulator_roots = {root_.certificate};
    options_.simulated_tees = {TeeKind::nvidia};
  }
  Result<codec::json::Value> attest(const SimulatorSettings& settings = {}) {
    EXPECT_TRUE(save_simulator_settings(directory_.path(), TeeKind::nvidia, settings));
    return (*make_simulator(TeeKind::nvidia, {.simulator_directory = directory_.path()}))->attest(digest);
  }
  Result<std::vector<Claims>> verify(const codec::json::Value& evidence) {
    return (*make_verifier(TeeKind::nvidia, options_))->verify(evidence, {digest, {}}, system_clock().now());
  }
  TemporaryDirectory directory_;
  SimulatorRoot root_ = *make_simulator_root(system_clock().now());
  VerifierOptions options_;
};

TEST_F(NvidiaSimulator, its_evidence_is_verified_under_the_root_in_its_directory) {
  const auto evidence = attest({.values = {{"devices", 2}, {"arch", "blackwell"}, {"driver-version", "595.58.03"}}});
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  const auto claims = verify(*evidence);
  ASSERT_TRUE(claims) << to_string(claims.error());
  ASSERT_EQ(claims->size(), 2U);
  EXPECT_EQ(*claims->front().claims.find("config")->find("driver_version")->if_string(), "595.58.03");
}

TEST_F(NvidiaSimulator, its_dials_are_measurement_and_firmware) {
  const auto evidence = attest({.values = {{"measurement", std::string(96, 'a')}, {"fwid", std::string(96, 'b')}}});
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  const auto claims = verify(*evidence);
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(*claims->front().claims.find("measurements")->find("12")->if_string(), std::string(96, 'a'));
  EXPECT_EQ(*claims->front().claims.find("config")->find("fwid")->if_string(), std::string(96, 'b'));
}

TEST_F(NvidiaSimulator, each_fault_has_its_own_code) {
  const std::vector<std::pair<std::string, ErrorCode>> faults{
      {"wrong-nonce", EvidenceError::report_data_mismatch}, {"wrong-firmware", NvidiaError::wrong_firmware},
      {"wrong-device-key", NvidiaError::wrong_device_key},  {"wrong-architecture", NvidiaError::wrong_architecture},
      {"repeated-device", NvidiaError::repeated_device},    {"bad-signature", NvidiaError::bad_signature},
      {"expired", NvidiaError::certificate_expired},        {"wrong-root", NvidiaError::unknown_root}};
  for (const auto& [fault, code] : faults) {
    const auto evidence = attest({.faults = {fault}});
    ASSERT_TRUE(evidence) << fault << to_string(evidence.error());
    const auto claims = verify(*evidence);
    ASSERT_FALSE(claims) << fault;
    EXPECT_EQ(claims.error().code, code) << fault << ": " << to_string(claims.error());
  }
}

TEST_F(NvidiaSimulator, another_measurement_is_the_policys_to_refuse) {
  const auto measured = [&](const SimulatorSettings& settings) {
    return *verify(*attest(settings))->front().claims.find("measurements")->find("12")->if_string();
  };
  EXPECT_NE(measured({}), measured({.faults = {"wrong-measurement"}}));
}

TEST_F(NvidiaSimulator, a_dial_that_does_not_exist_is_an_error) {
  for (const auto& settings : {SimulatorSettings{.faults = {"debug"}},
                               {.values = {{"color", "green"}}},
                               {.values = {{"arch", "LS10"}}},
                               {.values = {{"arch", 7}}},
                               {.values = {{"devices", 33}}},
                               {.values = {{"measurement", "aa"}}}}) {
    const auto evidence = attest(settings);
    ASSERT_FALSE(evidence);
    EXPECT_EQ(evidence.error().code, EvidenceError::bad_config);
  }
}

}  // namespace
}  // namespace coffer::evidence::nvidia

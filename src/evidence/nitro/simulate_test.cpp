#include "evidence/nitro/simulate.h"

#include <gtest/gtest.h>

#include "evidence/nitro/nitro.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::nitro {
namespace {

const Bytes digest(48, std::byte{0x33});
const Bytes init_digest(32, std::byte{0x44});

class NitroSimulator : public testing::Test {
 protected:
  std::unique_ptr<Attester> simulator() {
    return *make_simulator(TeeKind::nitro, {.simulator_directory = directory_.path()});
  }
  TemporaryDirectory directory_;
};

TEST_F(NitroSimulator, its_evidence_is_verified_under_the_root_in_its_directory) {
  const auto root = *make_simulator_root(system_clock().now());
  ASSERT_TRUE(write_simulator_root(directory_.path(), root));
  const auto attester = simulator();
  ASSERT_TRUE(attester->bind_init_data(init_digest));
  const auto evidence = attester->attest(digest);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  VerifierOptions options;
  options.simulator_roots = {root.certificate};
  options.simulated_tees = {TeeKind::nitro};
  const auto claims =
      (*make_verifier(TeeKind::nitro, options))->verify(*evidence, {digest, init_digest}, system_clock().now());
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_TRUE(claims->front().simulated_root);
}

TEST_F(NitroSimulator, a_directory_without_keys_is_named) {
  const auto evidence = simulator()->attest(digest);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, EvidenceError::bad_config);
  EXPECT_NE(evidence.error().message.find("root.pem"), std::string::npos);
}

TEST_F(NitroSimulator, its_dials_are_faults_and_registers) {
  const auto root = *make_simulator_root(system_clock().now());
  ASSERT_TRUE(write_simulator_root(directory_.path(), root));
  SimulatorSettings settings{.faults = {"debug"}, .values = {{"pcr4", std::string(96, 'a')}}};
  ASSERT_TRUE(save_simulator_settings(directory_.path(), TeeKind::nitro, settings));
  const auto evidence = simulator()->attest(digest);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  const auto shown = (*make_verifier(TeeKind::nitro, {}))->inspect(*evidence);
  ASSERT_TRUE(shown);
  EXPECT_TRUE(*shown->find("debug")->if_bool());
  EXPECT_EQ(*shown->find("pcrs")->find("pcr4")->if_string(), std::string(96, 'a'));
  settings.values = {{"pcr4", "aa"}};
  EXPECT_EQ(simulation_of(settings).error().code, EvidenceError::bad_config);
}

TEST(NitroFault, names_are_read) {
  EXPECT_EQ(*parse_fault("wrong-pcr"), Fault::wrong_pcr);
  EXPECT_EQ(*parse_fault("clock-skew"), Fault::clock_skew);
  EXPECT_EQ(parse_fault("none").error().code, EvidenceError::bad_config);
}

}  // namespace
}  // namespace coffer::evidence::nitro

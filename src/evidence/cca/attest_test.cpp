#include <gtest/gtest.h>

#include "evidence/cca/cca.h"
#include "evidence/cca/simulate.h"
#include "evidence/device/fake_tsm_testing.h"
#include "evidence/init_data.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::cca {
namespace {

const Bytes digest(48, std::byte{0x22});
const Bytes init_digest(32, std::byte{0x33});

// The kernel's interface over a simulated platform.
class CcaAttest : public testing::Test {
 protected:
  CcaAttest() {
    files_.provider = "arm_cca_guest";
    files_.outblob = [](ByteView inblob) {
      return *simulate_token(root_,
                             {.challenge = to_bytes(inblob), .personalization_value = fit_digest(init_digest, 64)},
                             system_clock().now());
    };
  }
  static inline const SimulatorRoot root_ = *make_simulator_root(system_clock().now());
  device::FakeTsm files_;
  std::unique_ptr<Attester> attester_ = make_attester_over(device::ConfigfsTsm{"/", files_});
};

TEST_F(CcaAttest, report_data_is_padded_and_the_token_is_the_evidence) {
  const auto evidence = attester_->attest(digest);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  EXPECT_EQ(files_.last_inblob, fit_digest(digest, 64));
  VerifierOptions options{.simulator_roots = {root_.certificate}, .simulated_tees = {TeeKind::cca}};
  const auto claims =
      (*make_verifier(TeeKind::cca, options))->verify(*evidence, {digest, init_digest}, system_clock().now());
  EXPECT_TRUE(claims) << to_string(claims.error());
}

TEST_F(CcaAttest, report_data_over_64_bytes_is_refused) {
  EXPECT_EQ(attester_->attest(Bytes(65)).error().code, EvidenceError::malformed);
}

TEST_F(CcaAttest, init_data_is_compared_with_what_the_host_set) {
  EXPECT_TRUE(attester_->bind_init_data(init_digest));
  EXPECT_EQ(attester_->bind_init_data(digest).error().code, EvidenceError::init_data_mismatch);
}

TEST_F(CcaAttest, a_device_of_another_kind_or_none_is_no_device) {
  files_.provider = "tdx_guest";
  EXPECT_EQ(attester_->attest(digest).error().code, EvidenceError::no_device);
  const auto real = make_attester(TeeKind::cca, {.root = "/nonexistent"});
  EXPECT_EQ((*real)->attest(digest).error().code, EvidenceError::no_device);
}

TEST_F(CcaAttest, a_token_that_does_not_parse_binds_nothing) {
  files_.outblob = [](ByteView) { return to_bytes("short"); };
  EXPECT_FALSE(attester_->bind_init_data(init_digest));
}

TEST(CcaSimulator, its_evidence_is_verified_under_the_root_in_its_directory) {
  const TemporaryDirectory directory;
  const auto root = *make_simulator_root(system_clock().now());
  ASSERT_TRUE(write_simulator_root(directory.path(), root));
  const auto simulator = *make_simulator(TeeKind::cca, {.simulator_directory = directory.path()});
  ASSERT_TRUE(simulator->bind_init_data(init_digest));
  const auto evidence = simulator->attest(digest);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  VerifierOptions options{.simulator_roots = {root.certificate}, .simulated_tees = {TeeKind::cca}};
  EXPECT_TRUE((*make_verifier(TeeKind::cca, options))->verify(*evidence, {digest, init_digest}, system_clock().now()));
}

}  // namespace
}  // namespace coffer::evidence::cca

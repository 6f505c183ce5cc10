#include "fleet/trust/worker_trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/trust/token_issuer_testing.h"

namespace coffer::fleet {
namespace {

using appraisal::Tier;
using crypto::KeyKind;
using crypto::PrivateKey;
using evidence::TeeKind;
using ::testing::HasSubstr;

const auto now = from_unix_seconds(1'800'000'000);
const std::string worker = "7d2f6b0e-52d5-4a5e-9c58-0b1f4c3a9a11";

// A broker's signer and a worker that holds what it attested.
class WorkerTrustTest : public ::testing::Test {
 protected:
  TokenIssuer broker{now};
  PrivateKey tee_key = *PrivateKey::generate(KeyKind::ec_p256);
  std::vector<appraisal::Submodule> submodules{submodule("cpu0", TeeKind::snp, 2)};
  WorkerTrustOptions options{};

  Capabilities capabilities() const {
    Capabilities out;
    out.attestation = Capabilities::Attestation{.token = broker.token(tee_key, submodules),
                                                .proof = *sign_presence(worker, now, tee_key)};
    return out;
  }
  Result<Standing> verify(const Capabilities& shown, TimePoint at = now) {
    options.tokens.trusted_certificates = {broker.anchor()};
    const auto trust = WorkerTrust::create(options);
    if (!trust) return fail(trust.error());
    return trust->verify(worker, shown, at);
  }
  void expect_fails(const Result<Standing>& standing, FleetError code, std::string_view says) {
    ASSERT_FALSE(standing);
    EXPECT_EQ(standing.error().code, ErrorCode{code}) << to_string(standing.error());
    EXPECT_THAT(standing.error().message, HasSubstr(std::string{says}));
  }
};

TEST_F(WorkerTrustTest, a_worker_with_an_affirmed_token_and_its_key_is_believed) {
  const auto shown = capabilities();
  const auto standing = verify(shown);
  ASSERT_TRUE(standing) << to_string(standing.error());
  EXPECT_EQ(standing->tee, "snp");
  EXPECT_EQ(standing->status, Tier::affirming);
  EXPECT_EQ(standing->token_expires, now + std::chrono::minutes{5});
  EXPECT_EQ(standing->token_digest, digest_of_text(shown.attestation->token));
  EXPECT_EQ(*standing->key(), tee_key.public_key());
}

TEST_F(WorkerTrustTest, silence_is_no_trust) {
  auto shown = capabilities();
  shown.attestation.reset();
  shown.tee = Capabilities::Tee{.type = "snp"};
  expect_fails(verify(shown), FleetError::not_attested, "shows no attestation token");
}

TEST_F(WorkerTrustTest, a_token_of_another_broker_is_refused) {
  const auto shown = capabilities();
  broker = TokenIssuer{now};
  expect_fails(verify(shown), FleetError::not_attested, "not attested");
}

TEST_F(WorkerTrustTest, an_expired_token_is_refused) {
  auto shown = capabilities();
  const auto later = now + std::chrono::minutes{7};
  shown.attestation->proof = *sign_presence(worker, later, tee_key);
  expect_fails(verify(shown, later), FleetError::not_attested, "expired");
}

TEST_F(WorkerTrustTest, a_token_that_another_worker_was_given_is_refused) {
  auto shown = capabilities();
  shown.attestation->proof = *sign_presence(worker, now, *PrivateKey::generate(KeyKind::ec_p256));
  expect_fails(verify(shown), FleetError::bad_proof, "attested key");
  shown.attestation->proof.clear();
  expect_fails(verify(shown), FleetError::bad_proof, "attested key");
}

TEST_F(WorkerTrustTest, an_old_proof_is_refused) {
  expect_fails(verify(capabilities(), now + std::chrono::seconds{61}), FleetError::stale_proof, "61 s behind");
}

TEST_F(WorkerTrustTest, sample_and_simulated_tees_are_believed_by_name_alone) {
  submodules = {submodule("cpu0", TeeKind::sample, 2)};
  expect_fails(verify(capabilities()), FleetError::untrusted_tee, "\"sample\"");
  options.allow_tees = {"sample"};
  EXPECT_TRUE(verify(capabilities()));

  submodules = {submodule("cpu0", TeeKind::tdx, 2, true)};
  expect_fails(verify(capabilities()), FleetError::untrusted_tee, "\"simulated:tdx\"");
  options.allow_tees = {"simulated:snp"};
  expect_fails(verify(capabilities()), FleetError::untrusted_tee, "\"simulated:tdx\"");
  options.allow_tees = {"simulated:tdx"};
  EXPECT_TRUE(verify(capabilities()));
}

TEST_F(WorkerTrustTest, a_sample_device_beside_a_real_machine_is_believed_by_name_alone) {
  submodules.push_back(submodule("gpu0", TeeKind::sampledevice, 2));
  expect_fails(verify(capabilities()), FleetError::untrusted_tee, "sampledevice");
}

TEST_F(WorkerTrustTest, a_token_for_devices_alone_is_refused) {
  submodules = {submodule("gpu0", TeeKind::nvidia, 2)};
  expect_fails(verify(capabilities()), FleetError::not_attested, "no TEE of a machine");
}

TEST_F(WorkerTrustTest, the_worst_appraisal_counts) {
  submodules.push_back(submodule("gpu0", TeeKind::nvidia, 97));
  expect_fails(verify(capabilities()), FleetError::not_affirming, "contraindicated");
  submodules.back() = submodule("gpu0", TeeKind::nvidia, 33);
  expect_fails(verify(capabilities()), FleetError::not_affirming, "warning");
  options.accepted = Tier::warning;
  EXPECT_TRUE(verify(capabilities()));
}

TEST_F(WorkerTrustTest, an_appraisal_that_says_nothing_is_never_enough) {
  submodules.front().vector = appraisal::TrustVector::zeros();
  options.accepted = Tier::contraindicated;
  expect_fails(verify(capabilities()), FleetError::not_affirming, "none");
}

TEST_F(WorkerTrustTest, an_unknown_tee_cannot_be_allowed) {
  options.allow_tees = {"simulated:abacus"};
  expect_fails(verify(capabilities()), FleetError::bad_member, "abacus");
}

}  // namespace
}  // namespace coffer::fleet

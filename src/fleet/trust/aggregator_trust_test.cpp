#include "fleet/trust/aggregator_trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/attested_key.h"
#include "fleet/trust/token_issuer_testing.h"

namespace coffer::fleet {
namespace {

using crypto::KeyKind;
using crypto::PrivateKey;
using evidence::TeeKind;
using ::testing::HasSubstr;

const auto now = from_unix_seconds(1'800'000'000);
const std::string nonce = "q83vASNFZ4mrze8BI0VniQ";
const std::string measurement = "/submods/cpu0/ear.veraison.annotated-evidence/snp/measurement";

class AggregatorTrustTest : public ::testing::Test {
 protected:
  TokenIssuer broker{now};
  PrivateKey tee_key = *PrivateKey::generate(KeyKind::ec_p256);
  std::vector<appraisal::Submodule> submodules{submodule("cpu0", TeeKind::snp, 2)};
  TokenTrustOptions options{};

  AggregatorAttestation attestation() const {
    return {.token = broker.token(tee_key, submodules), .proof = *sign_aggregator(nonce, now, tee_key)};
  }
  Result<Standing> verify(const AggregatorAttestation& shown, TimePoint at = now) {
    options.tokens.trusted_certificates = {broker.anchor()};
    const auto trust = AggregatorTrust::create(options);
    if (!trust) return fail(trust.error());
    return trust->verify(shown, nonce, at);
  }
  void expect_fails(const Result<Standing>& standing, FleetError code, std::string_view says) {
    ASSERT_FALSE(standing);
    EXPECT_EQ(standing.error().code, ErrorCode{code}) << to_string(standing.error());
    EXPECT_THAT(standing.error().message, HasSubstr(std::string{says}));
  }
};

TEST_F(AggregatorTrustTest, an_affirmed_aggregator_that_holds_its_key_now_is_believed) {
  const auto standing = verify(attestation());
  ASSERT_TRUE(standing) << to_string(standing.error());
  EXPECT_EQ(*standing->key(), tee_key.public_key());
}

TEST_F(AggregatorTrustTest, a_proof_over_an_older_challenge_is_refused) {
  auto shown = attestation();
  shown.proof = *sign_aggregator("AAAAAAAAAAAAAAAAAAAAAA", now, tee_key);
  expect_fails(verify(shown), FleetError::bad_proof, "another nonce");
}

TEST_F(AggregatorTrustTest, a_token_shown_by_who_does_not_hold_its_key_is_refused) {
  auto shown = attestation();
  shown.proof = *sign_aggregator(nonce, now, *PrivateKey::generate(KeyKind::ec_p256));
  expect_fails(verify(shown), FleetError::bad_proof, "attested key");
}

TEST_F(AggregatorTrustTest, what_workers_sign_of_their_presence_proves_no_aggregator) {
  auto shown = attestation();
  shown.proof = *sign_presence(nonce, now, tee_key);
  expect_fails(verify(shown), FleetError::bad_proof, "typ");
}

TEST_F(AggregatorTrustTest, a_token_of_another_broker_or_of_the_past_is_refused) {
  expect_fails(verify(attestation(), now + std::chrono::minutes{7}), FleetError::not_attested, "expired");
  const auto shown = attestation();
  broker = TokenIssuer{now};
  expect_fails(verify(shown), FleetError::not_attested, "the aggregator is not attested");
}

TEST_F(AggregatorTrustTest, tees_that_prove_nothing_and_appraisals_that_warn_are_refused) {
  submodules = {submodule("cpu0", TeeKind::snp, 2, true)};
  expect_fails(verify(attestation()), FleetError::untrusted_tee, "simulated:snp");
  submodules = {submodule("cpu0", TeeKind::snp, 33)};
  expect_fails(verify(attestation()), FleetError::not_affirming, "warning");
}

TEST_F(AggregatorTrustTest, the_token_must_say_what_is_asked_for) {
  options.claims = {{measurement, "ab"}};
  EXPECT_TRUE(verify(attestation()));
  options.claims = {{measurement, "cd"}};
  expect_fails(verify(attestation()), FleetError::wrong_claim, "\"ab\"");
  options.claims = {{"/nowhere", "ab"}};
  expect_fails(verify(attestation()), FleetError::wrong_claim, "nothing");
}

}  // namespace
}  // namespace coffer::fleet

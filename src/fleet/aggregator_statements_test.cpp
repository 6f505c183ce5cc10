#include "fleet/aggregator_statements.h"

#include <gtest/gtest.h>

#include "fleet/attested_key.h"

namespace coffer::fleet {
namespace {

using crypto::KeyKind;
using crypto::PrivateKey;

const auto now = from_unix_seconds(1'800'000'000);

RoundStatement statement() {
  return {.round_id = "r1",
          .base_version = 0,
          .model_version = 1,
          .base_digest = "sha256:aa",
          .model_digest = "sha256:bb",
          .participants = {{"w1", "sha256:cc", 64}, {"w2", "sha256:dd", 512}},
          .token_digest = "sha256:ee",
          .made = now};
}

TEST(AggregatorStatements, a_round_is_read_back_as_it_was_signed) {
  const auto key = *PrivateKey::generate(KeyKind::ec_p256);
  const auto read = read_round_statement(*sign_round(statement(), key), key.public_key());
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(*read, statement());
}

TEST(AggregatorStatements, a_round_of_many_participants_fits) {
  const auto key = *PrivateKey::generate(KeyKind::ec_p256);
  auto large = statement();
  large.participants.assign(1024, {std::string(64, 'w'), digest_of_text("x"), 1U << 30});
  const auto read = read_round_statement(*sign_round(large, key), key.public_key());
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->participants.size(), 1024U);
}

TEST(AggregatorStatements, another_key_or_another_kind_of_statement_is_refused) {
  const auto key = *PrivateKey::generate(KeyKind::ec_p256);
  const auto other = *PrivateKey::generate(KeyKind::ec_p256);
  EXPECT_EQ(read_round_statement(*sign_round(statement(), other), key.public_key()).error().code,
            ErrorCode{FleetError::bad_proof});
  EXPECT_EQ(read_round_statement(*sign_aggregator("n", now, key), key.public_key()).error().code,
            ErrorCode{FleetError::bad_proof});
  EXPECT_EQ(check_aggregator(*sign_round(statement(), key), "n", key.public_key()).error().code,
            ErrorCode{FleetError::bad_proof});
}

TEST(AggregatorStatements, a_proof_over_a_model_holds_for_that_alone) {
  const auto key = *PrivateKey::generate(KeyKind::ec_p256);
  const ModelName model{.version = 3, .digest = "sha256:aa"};
  const auto proof = *sign_aggregator("n", now, key, model);
  EXPECT_TRUE(check_aggregator(proof, "n", key.public_key(), model));
  EXPECT_TRUE(check_aggregator(proof, "n", key.public_key()));
  for (const auto& other :
       {ModelName{.version = 3, .digest = "sha256:bb"}, ModelName{.version = 2, .digest = "sha256:aa"}}) {
    EXPECT_EQ(check_aggregator(proof, "n", key.public_key(), other).error().code, ErrorCode{FleetError::bad_proof});
  }
  const auto silent = *sign_aggregator("n", now, key);
  EXPECT_EQ(check_aggregator(silent, "n", key.public_key(), model).error().code, ErrorCode{FleetError::bad_proof});
}

TEST(AggregatorStatements, a_challenge_has_some_length_and_no_strange_characters) {
  EXPECT_TRUE(check_nonce("q83vASNFZ4mrze8BI0VniQ"));
  for (const auto& nonce : {std::string{}, std::string(15, 'a'), std::string(129, 'a'), std::string(16, '=')}) {
    EXPECT_EQ(check_nonce(nonce).error().code, ErrorCode{FleetError::bad_member}) << nonce;
  }
}

TEST(AggregatorStatements, an_attestation_is_read_back_and_needs_token_and_proof) {
  const AggregatorAttestation shown{.token = "t", .proof = "p", .expires_at = now, .tee = "snp"};
  EXPECT_EQ(*parse_aggregator_attestation(to_json(shown)), shown);
  EXPECT_EQ(parse_aggregator_attestation(R"({"token":"t"})").error().code, ErrorCode{FleetError::missing_member});
  EXPECT_EQ(parse_aggregator_attestation(R"({"token":"t","proof":"p","expires_at":"soon"})").error().code,
            ErrorCode{FleetError::bad_member});
}

}  // namespace
}  // namespace coffer::fleet

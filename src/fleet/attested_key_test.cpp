#include "fleet/attested_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/jose/jws.h"

namespace coffer::fleet {
namespace {

using crypto::KeyKind;
using crypto::PrivateKey;
using crypto::SignatureAlgorithm;
using std::chrono::seconds;
using ::testing::HasSubstr;

const auto now = from_unix_seconds(1'800'000'000);
constexpr std::string_view worker = "7d2f6b0e-52d5-4a5e-9c58-0b1f4c3a9a11";

class AttestedKey : public ::testing::Test {
 protected:
  static const PrivateKey& key() {
    static const auto made = *PrivateKey::generate(KeyKind::ec_p256);
    return made;
  }
  static ResultStatement statement() {
    return {.task_id = "t1",
            .proplet_id = std::string{worker},
            .module_digest = "sha256:aa",
            .inputs_digest = "sha256:bb",
            .result_digest = "sha256:cc",
            .token_digest = "sha256:dd",
            .made = now};
  }
  static std::string signed_as(std::string_view type, const codec::json::Object& claims) {
    return *codec::jose::sign_compact({{"typ", type}}, as_bytes(codec::json::serialize(claims)), key(),
                                      SignatureAlgorithm::es256);
  }
  static void expect_presence_fails(std::string_view proof, FleetError code, std::string_view says) {
    const auto checked = check_presence(proof, worker, key().public_key(), now, seconds{60});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode{code}) << to_string(checked.error());
    EXPECT_THAT(checked.error().message, HasSubstr(std::string{says}));
  }
};

TEST_F(AttestedKey, presence_holds_for_each_kind_of_key_that_tokens_name) {
  for (const auto kind : {KeyKind::ec_p256, KeyKind::ec_p384, KeyKind::ec_p521, KeyKind::rsa}) {
    const auto made = *PrivateKey::generate(kind);
    const auto proof = sign_presence(worker, now, made);
    ASSERT_TRUE(proof) << to_string(proof.error());
    EXPECT_TRUE(check_presence(*proof, worker, made.public_key(), now, seconds{60}));
  }
}

TEST_F(AttestedKey, a_key_that_cannot_sign_so_is_refused) {
  const auto made = *PrivateKey::generate(KeyKind::ed25519);
  const auto proof = sign_presence(worker, now, made);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().code, ErrorCode{FleetError::bad_proof});
}

TEST_F(AttestedKey, presence_of_another_key_is_refused) {
  const auto other = *PrivateKey::generate(KeyKind::ec_p256);
  expect_presence_fails(*sign_presence(worker, now, other), FleetError::bad_proof, "not of the attested key");
}

TEST_F(AttestedKey, presence_of_another_worker_is_refused) {
  expect_presence_fails(*sign_presence("another", now, key()), FleetError::bad_proof, "names worker another");
}

TEST_F(AttestedKey, presence_is_good_for_the_tolerance_in_both_directions) {
  for (const auto offset : {-60, 0, 60}) {
    const auto proof = *sign_presence(worker, now + seconds{offset}, key());
    EXPECT_TRUE(check_presence(proof, worker, key().public_key(), now, seconds{60})) << offset;
  }
  expect_presence_fails(*sign_presence(worker, now - seconds{61}, key()), FleetError::stale_proof, "61 s behind");
  expect_presence_fails(*sign_presence(worker, now + seconds{61}, key()), FleetError::stale_proof, "61 s ahead");
}

TEST_F(AttestedKey, presence_without_a_time_or_with_an_impossible_one_is_refused) {
  const codec::json::Object timeless{{"proplet_id", worker}};
  expect_presence_fails(signed_as("coffer-presence+jwt", timeless), FleetError::bad_proof, "proof.iat");
  const codec::json::Object endless{{"proplet_id", worker}, {"iat", 0xffff'ffff'ffff'ffffULL}};
  expect_presence_fails(signed_as("coffer-presence+jwt", endless), FleetError::bad_proof, "proof.iat");
}

TEST_F(AttestedKey, a_token_or_a_result_is_no_presence) {
  const codec::json::Object claims{{"proplet_id", worker}, {"iat", to_unix_seconds(now)}};
  expect_presence_fails(signed_as("JWT", claims), FleetError::bad_proof, "typ");
  expect_presence_fails(*sign_result(statement(), key()), FleetError::bad_proof, "typ");
  expect_presence_fails("", FleetError::bad_proof, "not of the attested key");
  expect_presence_fails(std::string(20'000, 'a'), FleetError::bad_proof, "bytes");
}

TEST_F(AttestedKey, results_come_back_as_they_were_signed) {
  const auto text = sign_result(statement(), key());
  ASSERT_TRUE(text);
  const auto read = read_result_statement(*text, key().public_key());
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(*read, statement());
}

TEST_F(AttestedKey, a_changed_result_is_refused) {
  auto text = *sign_result(statement(), key());
  const auto dot = text.find('.');
  text[dot + 10] = text[dot + 10] == 'A' ? 'B' : 'A';
  const auto read = read_result_statement(text, key().public_key());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode{FleetError::bad_proof});
}

TEST_F(AttestedKey, digests_of_inputs_tell_commands_apart_and_know_equal_ones) {
  const StartCommand command{.id = "t1", .name = "add", .inputs = {"10", "20"}, .env = {{"A", "1"}, {"B", "2"}}};
  auto other = command;
  other.id = "t2";
  EXPECT_EQ(*digest_of_inputs(command), *digest_of_inputs(other));
  other.inputs = {"1020"};
  EXPECT_NE(*digest_of_inputs(command), *digest_of_inputs(other));
  // sha256 of {"cli_args":[],"env":{"A":"1","B":"2"},"inputs":["10","20"],"name":"add"}
  EXPECT_EQ(*digest_of_inputs(command),
            digest_of_text(R"({"cli_args":[],"env":{"A":"1","B":"2"},"inputs":["10","20"],"name":"add"})"));
}

}  // namespace
}  // namespace coffer::fleet

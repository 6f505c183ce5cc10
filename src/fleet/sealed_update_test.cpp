#include "fleet/sealed_update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/attested_key.h"
#include "fleet/round_update.h"

namespace coffer::fleet {
namespace {

using codec::json::Object;
using crypto::KeyKind;
using crypto::PrivateKey;
using ::testing::HasSubstr;
using ::testing::Not;

const auto now = from_unix_seconds(1'800'000'000);
const std::string secret = "the update that nobody on the way may see";

const PrivateKey& key_of(KeyKind kind) {
  static std::map<KeyKind, PrivateKey> made;
  return made.try_emplace(kind, *PrivateKey::generate(kind)).first->second;
}

SealedUpdate sealed_to(const PrivateKey& key) {
  const SignedUpdate content{.document = secret, .token = "t", .signature = "s"};
  return *seal_update({.task_id = "t1", .round_id = "r1", .proplet_id = "w1"}, content, {.key = key.public_key()});
}

class SealedUpdateTest : public ::testing::TestWithParam<KeyKind> {};

TEST_P(SealedUpdateTest, opens_for_the_key_that_it_was_sealed_to) {
  const auto sealed = sealed_to(key_of(GetParam()));
  EXPECT_EQ(sealed.key, codec::jose::thumbprint(key_of(GetParam()).public_key()));
  const auto wire = codec::json::serialize(write_sealed_update(sealed));
  EXPECT_THAT(wire, Not(HasSubstr("nobody")));
  const auto object = parse_update_object(wire);
  ASSERT_TRUE(object && is_sealed_update(*object));
  const auto read = read_sealed_update(*object);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, sealed);
  const auto opened = open_update(*read, key_of(GetParam()));
  ASSERT_TRUE(opened) << to_string(opened.error());
  EXPECT_EQ(*opened, (SignedUpdate{.document = secret, .token = "t", .signature = "s"}));
}

INSTANTIATE_TEST_SUITE_P(Keys, SealedUpdateTest, ::testing::Values(KeyKind::ec_p256, KeyKind::ec_p521, KeyKind::rsa));

TEST(SealedUpdate, does_not_open_for_another_key_or_when_changed) {
  auto sealed = sealed_to(key_of(KeyKind::ec_p256));
  const auto other = open_update(sealed, *PrivateKey::generate(KeyKind::ec_p256));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode{FleetError::bad_seal});
  const auto place = sealed.jwe.find("\"tag\":\"") + 8;
  sealed.jwe[place] = sealed.jwe[place] == 'A' ? 'B' : 'A';
  const auto changed = open_update(sealed, key_of(KeyKind::ec_p256));
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, ErrorCode{FleetError::bad_seal});
}

TEST(SealedUpdate, needs_its_members) {
  const auto whole = write_sealed_update(sealed_to(key_of(KeyKind::ec_p256)));
  for (const auto* member : {"round_id", "proplet_id", "update_sealed"}) {
    auto broken = whole;
    broken.erase(member);
    const auto read = read_sealed_update(broken);
    ASSERT_FALSE(read) << member;
    EXPECT_EQ(read.error().code, ErrorCode{FleetError::missing_member});
  }
  auto empty = whole;
  empty.set("update_sealed", Object{{"key", "k"}, {"digest", "sha256:aa"}});
  EXPECT_EQ(read_sealed_update(empty).error().code, ErrorCode{FleetError::missing_member});
  EXPECT_EQ(parse_signed_update("{}").error().code, ErrorCode{FleetError::missing_member});
  EXPECT_EQ(parse_signed_update("[]").error().code, ErrorCode{FleetError::bad_payload});
}

TEST(SealedUpdate, is_signed_for_one_document_worker_and_round) {
  const auto& key = key_of(KeyKind::ec_p256);
  const UpdateOrigin origin{.proplet_id = "w1", .round_id = "r1"};
  const auto signature = *sign_update(secret, origin, now, key);
  EXPECT_TRUE(check_update(signature, secret, origin, key.public_key()));
  const auto refused = [&](std::string_view document, const UpdateOrigin& whose, const PrivateKey& whose_key) {
    const auto checked = check_update(signature, document, whose, whose_key.public_key());
    return !checked && checked.error().code == ErrorCode{FleetError::bad_proof};
  };
  EXPECT_TRUE(refused("another", origin, key));
  EXPECT_TRUE(refused(secret, {.proplet_id = "w2", .round_id = "r1"}, key));
  EXPECT_TRUE(refused(secret, {.proplet_id = "w1", .round_id = "r2"}, key));
  EXPECT_TRUE(refused(secret, origin, *PrivateKey::generate(KeyKind::ec_p256)));
}

TEST(RoundUpdate, reads_the_workers_form_and_the_guests_form_of_upstream) {
  const auto workers = parse_round_update(
      R"({"task_id":"t","round_id":"r1","proplet_id":"w","num_samples":64,"update_b64":"AAAAPw==","format":"f32-delta",)"
      R"("metrics":{}})");
  ASSERT_TRUE(workers) << to_string(workers.error());
  EXPECT_EQ(workers->num_samples, 64U);
  EXPECT_EQ(workers->content.size(), 4U);
  EXPECT_EQ(codec::json::serialize(write_round_update(*workers)),
            R"({"task_id":"t","round_id":"r1","proplet_id":"w","num_samples":64,"update_b64":"AAAAPw==",)"
            R"("format":"f32-delta","metrics":{}})");
  const auto guests = parse_round_update(
      R"({"round_id":"r1","proplet_id":"w","base_model_uri":"fl/models/global_model_v0","num_samples":512,)"
      R"("metrics":{"loss":0.7},"update":{"b":0.1,"version":0,"w":[0.1,0.2,0.3]}})");
  ASSERT_TRUE(guests) << to_string(guests.error());
  EXPECT_EQ(guests->base_model_uri, "fl/models/global_model_v0");
  ASSERT_TRUE(guests->weights);
  EXPECT_EQ(guests->weights->size(), 3U);
}

TEST(RoundUpdate, refuses_what_is_no_update) {
  for (const auto* text : {"", "[]", "{\"update_b64\":", "7"}) {
    const auto read = parse_round_update(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode{FleetError::bad_payload});
  }
  for (const auto* text : {R"({"num_samples":-1})", R"({"num_samples":"many"})", R"({"update_b64":"%"})",
                           R"({"update":[]})", R"({"round_id":7})"}) {
    const auto read = parse_round_update(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode{FleetError::bad_member});
  }
}

}  // namespace
}  // namespace coffer::fleet

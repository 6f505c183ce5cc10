#include "evidence/arm/trusted_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "codec/jose/jwk.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::arm {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

const crypto::PublicKey key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256)->public_key();

Result<std::vector<TrustedKey>> parse(json::Object entry) {
  return parse_trusted_keys({std::move(entry)}, "keys");
}

TEST(TrustedKeys, jwk_and_pem_are_read_with_or_without_ids) {
  const auto keys = parse_trusted_keys({json::Object{{"pkey", codec::jose::to_jwk(key)}, {"instance-id", "01AB"}},
                                        json::Object{{"pkey", key.to_pem()}, {"implementation-id", "cd"}}},
                                       "keys");
  ASSERT_TRUE(keys) << to_string(keys.error());
  EXPECT_EQ(keys->at(0).instance_id, (Bytes{std::byte{1}, std::byte{0xab}}));
  EXPECT_FALSE(keys->at(0).implementation_id);
  EXPECT_TRUE(keys->at(1).key == key);
}

TEST(TrustedKeys, entries_that_do_not_fit_are_errors_that_name_their_place) {
  for (const json::Object& entry :
       {json::Object{}, json::Object{{"pkey", "text"}}, json::Object{{"pkey", json::Object{}}},
        json::Object{{"pkey", key.to_pem()}, {"instance-id", "xyz"}},
        json::Object{{"pkey", key.to_pem()}, {"instance-id", 1}},
        json::Object{{"pkey", key.to_pem()}, {"instance_id", "00"}}}) {
    const auto keys = parse(entry);
    ASSERT_FALSE(keys);
    EXPECT_EQ(keys.error().code, EvidenceError::bad_config);
    EXPECT_THAT(keys.error().message, HasSubstr("keys[0]"));
  }
  EXPECT_EQ(parse_trusted_keys({json::Value{1}}, "keys").error().code, EvidenceError::bad_config);
}

TEST(TrustedKeys, files_hold_an_array) {
  const TemporaryDirectory directory;
  directory.write("array.json", "[]");
  directory.write("object.json", "{}");
  directory.write("broken.json", "[");
  EXPECT_TRUE(read_trusted_keys(directory.path() / "array.json")->empty());
  for (const auto name : {"object.json", "broken.json", "absent.json"}) {
    EXPECT_EQ(read_trusted_keys(directory.path() / name).error().code, EvidenceError::bad_config) << name;
  }
}

TEST(TrustedKeys, those_of_an_instance_and_implementation_are_found) {
  const Bytes one(33, std::byte{1});
  const Bytes two(33, std::byte{2});
  const std::vector<TrustedKey> keys{{one, std::nullopt, key}, {std::nullopt, two, key}, {two, two, key}};
  EXPECT_EQ(keys_for(keys, one, two).size(), 2U);
  EXPECT_EQ(keys_for(keys, two, two).size(), 2U);
  EXPECT_EQ(keys_for(keys, two, one).size(), 0U);
}

// The key and instance id of Trusted Firmware M's test device, as Veraison's and its own tests have them.
TEST(InstanceId, is_the_hash_of_the_uncompressed_point) {
  const auto x = codec::base64url_decode("eeupDov0UKZ1FXatRZmwet-TjaO7C9F9ADbtSaLQ_D8");
  const auto y = codec::base64url_decode("v836iVa1aL_bhnPmSNi1jZKZVbFKJsMIDzQRfZcdaGQ");
  const auto device = crypto::PublicKey::from_ec_coordinates(crypto::KeyKind::ec_p256, *x, *y);
  ASSERT_TRUE(device);
  EXPECT_EQ(codec::hex_encode(*instance_id_of(*device)),
            "01fa58755f658627ce5460f29b75296713248cae7ad9e2984b90280efcbcb50248");
}

TEST(InstanceId, needs_a_point) {
  EXPECT_FALSE(instance_id_of(crypto::PrivateKey::generate(crypto::KeyKind::ed25519)->public_key()));
  EXPECT_FALSE(instance_id_of(crypto::PrivateKey::generate(crypto::KeyKind::rsa)->public_key()));
}

}  // namespace
}  // namespace coffer::evidence::arm

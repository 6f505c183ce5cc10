#include "evidence/cca/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/cca/collection.h"

namespace coffer::evidence::cca {
namespace {

namespace cbor = codec::cbor;
using testing::HasSubstr;

Platform platform() {
  return {.profile = std::string{platform_profile},
          .challenge = Bytes(32),
          .implementation_id = Bytes(32),
          .instance_id = Bytes(33),
          .config = Bytes(4),
          .lifecycle = 0x3000,
          .software_components = {{.measurement_value = Bytes(32), .signer_id = Bytes(48)}},
          .hash_algorithm = "sha-256"};
}

Realm realm() {
  Realm out{.challenge = Bytes(64),
            .personalization_value = Bytes(64),
            .initial_measurement = Bytes(48),
            .hash_algorithm = "sha-384",
            .public_key = Bytes(97),
            .public_key_hash_algorithm = "sha-256"};
  out.extensible_measurements.fill(Bytes(48));
  return out;
}

ErrorCode refusal(const Platform& claims) {
  const auto parsed = parse_platform(encode_platform(claims));
  return parsed ? ErrorCode{CcaError::not_a_token} : parsed.error().code;
}

ErrorCode refusal(const Realm& claims) {
  const auto parsed = parse_realm(encode_realm(claims));
  return parsed ? ErrorCode{CcaError::not_a_token} : parsed.error().code;
}

TEST(CcaPlatform, claims_are_read) {
  auto wanted = platform();
  wanted.verification_service = "https://verifier.example";
  const auto parsed = parse_platform(encode_platform(wanted));
  ASSERT_TRUE(parsed) << to_string(parsed.error());
  EXPECT_EQ(parsed->verification_service, "https://verifier.example");
  EXPECT_EQ(parsed->software_components.size(), 1U);
}

TEST(CcaPlatform, claims_of_another_size_or_value_are_refused) {
  auto claims = platform();
  claims.challenge = Bytes(33);
  EXPECT_EQ(refusal(claims), CcaError::bad_platform_claims);
  claims = platform();
  claims.implementation_id = Bytes(33);
  EXPECT_EQ(refusal(claims), CcaError::bad_platform_claims);
  claims = platform();
  claims.instance_id = Bytes(32);
  EXPECT_EQ(refusal(claims), CcaError::bad_platform_claims);
  claims = platform();
  claims.config = Bytes(1025);
  EXPECT_EQ(refusal(claims), CcaError::bad_platform_claims);
  for (const std::uint64_t lifecycle : {0x0100U, 0x3100U, 0x7000U, 0x10000U}) {
    claims = platform();
    claims.lifecycle = lifecycle;
    EXPECT_EQ(refusal(claims), CcaError::bad_platform_claims) << lifecycle;
  }
  claims = platform();
  claims.software_components.clear();
  EXPECT_EQ(refusal(claims), CcaError::bad_platform_claims);
  claims.software_components = {{.measurement_value = Bytes(32)}};
  EXPECT_EQ(refusal(claims), CcaError::bad_platform_claims) << "no signer";
  claims = platform();
  claims.profile = "tag:arm.com,2099:other";
  EXPECT_EQ(refusal(claims), CcaError::unknown_profile);
}

TEST(CcaPlatform, each_claim_but_the_service_is_required) {
  const auto whole = *cbor::parse(encode_platform(platform()))->if_map();
  for (const auto& missing : whole) {
    cbor::Map claims;
    for (const auto& entry : whole) {
      if (!(entry.first == missing.first)) claims.push_back(entry);
    }
    EXPECT_EQ(parse_platform(cbor::encode(claims)).error().code, CcaError::bad_platform_claims);
  }
}

TEST(CcaRealm, claims_of_another_size_or_value_are_refused) {
  EXPECT_TRUE(parse_realm(encode_realm(realm())));
  auto claims = realm();
  claims.challenge = Bytes(48);
  EXPECT_EQ(refusal(claims), CcaError::bad_realm_claims);
  claims = realm();
  claims.personalization_value = Bytes(65);
  EXPECT_EQ(refusal(claims), CcaError::bad_realm_claims);
  claims = realm();
  claims.initial_measurement = Bytes(31);
  EXPECT_EQ(refusal(claims), CcaError::bad_realm_claims);
  claims = realm();
  claims.extensible_measurements[3] = Bytes{};
  EXPECT_EQ(refusal(claims), CcaError::bad_realm_claims);
  claims = realm();
  claims.profile = "other";
  EXPECT_EQ(refusal(claims), CcaError::unknown_profile);
}

TEST(CcaRealm, each_claim_but_the_profile_is_required) {
  const auto whole = *cbor::parse(encode_realm(realm()))->if_map();
  for (const auto& missing : whole) {
    cbor::Map claims;
    for (const auto& entry : whole) {
      if (!(entry.first == missing.first)) claims.push_back(entry);
    }
    EXPECT_EQ(parse_realm(cbor::encode(claims)).error().code, CcaError::bad_realm_claims);
  }
}

TEST(CcaRealm, four_extensible_measurements_are_expected) {
  auto map = *cbor::parse(encode_realm(realm()))->if_map();
  for (auto& [key, value] : map) {
    if (key.if_int64() == 44239) value = cbor::Array{Bytes(48), Bytes(48), Bytes(48)};
  }
  const auto parsed = parse_realm(cbor::encode(map));
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, HasSubstr("array of 4, found 3"));
}

TEST(CcaRealmKey, a_point_or_a_cose_key_is_read_and_nothing_else) {
  auto claims = realm();
  EXPECT_EQ(realm_key(claims).error().code, CcaError::bad_realm_key) << "97 zeros";
  claims.public_key[0] = std::byte{4};
  EXPECT_EQ(realm_key(claims).error().code, CcaError::bad_realm_key) << "off the curve";
  const auto point = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p256)->public_key().ec_coordinates();
  claims.profile = realm_profile;
  claims.public_key = cbor::encode(cbor::Map{{1, 2}, {-1, 1}, {-2, point.x}, {-3, point.y}});
  EXPECT_TRUE(realm_key(claims));
  for (const cbor::Map& odd :
       {cbor::Map{{1, 1}, {-1, 1}, {-2, point.x}, {-3, point.y}},
        cbor::Map{{1, 2}, {-1, 9}, {-2, point.x}, {-3, point.y}}, cbor::Map{{1, 2}, {-1, 1}, {-2, point.x}},
        cbor::Map{{1, 2}, {-1, 1}, {-2, point.x}, {-3, true}}}) {
    claims.public_key = cbor::encode(odd);
    EXPECT_EQ(realm_key(claims).error().code, CcaError::bad_realm_key);
  }
  claims.public_key = to_bytes("text");
  EXPECT_EQ(realm_key(claims).error().code, CcaError::bad_realm_key);
}

TEST(CcaRealmKey, its_hash_is_by_a_known_algorithm) {
  auto claims = realm();
  for (const auto& [name, size] : {std::pair{"sha-256", 32U}, {"sha-384", 48U}, {"sha-512", 64U}}) {
    claims.public_key_hash_algorithm = name;
    EXPECT_EQ(realm_key_hash(claims)->size(), size);
  }
  claims.public_key_hash_algorithm = "md5";
  EXPECT_EQ(realm_key_hash(claims).error().code, CcaError::bad_realm_key);
}

TEST(CcaToken, a_realm_token_that_is_none_is_named_so) {
  const auto key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p384);
  const auto platform_token = *codec::cose::sign(encode_platform(platform()), key, crypto::SignatureAlgorithm::es384);
  EXPECT_EQ(parse_token(encode({platform_token, Bytes(1)}, Wrapping::plain)).error().code, CcaError::bad_realm_token);
}

}  // namespace
}  // namespace coffer::evidence::cca

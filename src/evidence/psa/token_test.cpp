#include "evidence/psa/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::evidence::psa {
namespace {

namespace cbor = codec::cbor;
using testing::HasSubstr;

PsaClaims valid(std::string_view profile = tfm_profile) {
  Bytes instance(33);
  instance[0] = std::byte{1};
  return {.profile = std::string{profile},
          .nonce = Bytes(48, std::byte{7}),
          .instance_id = std::move(instance),
          .implementation_id = Bytes(32, std::byte{8}),
          .client_id = -5,
          .lifecycle = 0x3001,
          .boot_seed = Bytes(32),
          .software_components = {{.measurement_value = Bytes(32), .signer_id = Bytes(32)}}};
}

Error refusal(const PsaClaims& claims) {
  const auto parsed = parse_claims(encode_claims(claims));
  EXPECT_FALSE(parsed);
  return parsed ? Error{PsaError::not_a_token, "accepted"} : parsed.error();
}

TEST(PsaClaims, every_profile_is_read_by_its_own_keys) {
  for (const auto profile : {tfm_profile, draft_9_profile, profile_1}) {
    auto wanted = valid(profile);
    wanted.verification_service = "https://verifier.example";
    wanted.certification_reference = "1234567890123-12345";
    const auto claims = parse_claims(encode_claims(wanted));
    ASSERT_TRUE(claims) << to_string(claims.error());
    EXPECT_EQ(claims->profile, profile);
    EXPECT_EQ(claims->nonce, wanted.nonce);
    EXPECT_EQ(claims->client_id, -5);
    EXPECT_EQ(claims->boot_seed, wanted.boot_seed);
    EXPECT_EQ(claims->certification_reference, "1234567890123-12345");
    EXPECT_EQ(claims->verification_service, "https://verifier.example");
  }
}

TEST(PsaClaims, the_oldest_profile_need_not_name_itself_or_measure_software) {
  auto wanted = valid(profile_1);
  wanted.software_components.clear();
  wanted.certification_reference = "1234567890123";
  auto map = *cbor::parse(encode_claims(wanted))->if_map();
  std::erase_if(map, [](const auto& entry) { return entry.first.if_int64() == -75000; });
  const auto claims = parse_claims(cbor::encode(map));
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(claims->profile, profile_1);
  EXPECT_TRUE(claims->software_components.empty());
}

TEST(PsaClaims, draft_9_had_its_boot_seed_elsewhere) {
  auto map = *cbor::parse(encode_claims(valid(draft_9_profile)))->if_map();
  for (auto& [key, value] : map) {
    if (key.if_int64() == 268) key = 2397;
  }
  EXPECT_TRUE(parse_claims(cbor::encode(map))->boot_seed);
}

TEST(PsaClaims, unknown_profiles_are_refused) {
  EXPECT_EQ(refusal(valid("tag:psacertified.org,2023:psa#other")).code, PsaError::unknown_profile);
  EXPECT_EQ(parse_claims(cbor::encode(cbor::Map{{-75000, "PSA_IOT_PROFILE_2"}})).error().code,
            PsaError::unknown_profile);
}

TEST(PsaClaims, values_of_other_sizes_and_ranges_are_refused) {
  auto claims = valid();
  claims.nonce = Bytes(33);
  EXPECT_EQ(refusal(claims).code, PsaError::bad_claims);
  claims = valid();
  claims.instance_id = Bytes(32);
  EXPECT_EQ(refusal(claims).code, PsaError::bad_claims);
  claims = valid();
  claims.instance_id[0] = std::byte{2};
  EXPECT_THAT(refusal(claims).message, HasSubstr("type 0x01, found 02"));
  claims = valid();
  claims.implementation_id = Bytes(33);
  EXPECT_EQ(refusal(claims).code, PsaError::bad_claims);
  for (const std::int64_t id : {0LL, 0x80000000LL, -0x80000001LL}) {
    claims = valid();
    claims.client_id = id;
    EXPECT_EQ(refusal(claims).code, PsaError::bad_claims) << id;
  }
  for (const std::uint64_t lifecycle : {0x0100U, 0x7000U, 0x13000U}) {
    claims = valid();
    claims.lifecycle = lifecycle;
    EXPECT_EQ(refusal(claims).code, PsaError::bad_claims) << lifecycle;
  }
  claims = valid();
  claims.boot_seed = Bytes(7);
  EXPECT_EQ(refusal(claims).code, PsaError::bad_claims);
  claims.boot_seed = Bytes(33);
  EXPECT_EQ(refusal(claims).code, PsaError::bad_claims);
  claims = valid();
  claims.software_components.clear();
  EXPECT_EQ(refusal(claims).code, PsaError::bad_claims);
  claims = valid();
  claims.verification_service = "";
  EXPECT_EQ(refusal(claims).code, PsaError::bad_claims);
}

TEST(PsaClaims, certification_references_are_digits) {
  for (const std::string reference :
       {"1234567890123", "123456789012x-12345", "1234567890123+12345", "1234567890123-1234x", "1234567890123-1234"}) {
    auto claims = valid();
    claims.certification_reference = reference;
    EXPECT_EQ(refusal(claims).code, PsaError::bad_claims) << reference;
  }
}

TEST(PsaClaims, each_required_claim_is_required) {
  const auto whole = *cbor::parse(encode_claims(valid()))->if_map();
  for (const std::int64_t key : {10, 256, 2394, 2395, 2396, 2399}) {
    auto claims = whole;
    std::erase_if(claims, [&](const auto& entry) { return entry.first.if_int64() == key; });
    EXPECT_EQ(parse_claims(cbor::encode(claims)).error().code, PsaError::bad_claims) << key;
  }
  EXPECT_EQ(parse_claims(cbor::encode(cbor::Array{})).error().code, PsaError::bad_claims);
  EXPECT_EQ(parse_claims(Bytes{}).error().code, PsaError::bad_claims);
}

TEST(PsaToken, a_mac_is_no_signature) {
  const auto claims = encode_claims(valid());
  const cbor::Value mac0 =
      cbor::Value::tagged(17, cbor::Array{cbor::encode(cbor::Map{{1, 5}}), cbor::Map{}, claims, Bytes(32)});
  EXPECT_EQ(parse_token(cbor::encode(mac0)).error().code, PsaError::not_a_token);
  EXPECT_EQ(parse_token({}).error().code, PsaError::not_a_token);
  EXPECT_EQ(parse_token(Bytes(max_token + 1)).error().code, PsaError::not_a_token);
}

TEST(PsaJson, names_are_veraisons) {
  const auto json = json_claims(valid());
  EXPECT_EQ(*json.find("psa-security-lifecycle-name")->if_string(), "secured");
  EXPECT_EQ(json.find("psa-client-id")->if_int64(), -5);
  EXPECT_EQ(*json.find("psa-implementation-id")->if_string(), "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=");
  EXPECT_FALSE(json.contains("psa-certification-reference"));
}

}  // namespace
}  // namespace coffer::evidence::psa

#include "evidence/runtime_data.h"

#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::evidence {
namespace {

namespace json = codec::json;
using crypto::HashAlgorithm;

// trustee.md 1.5: the EC key of RFC 7515 A.3 and the bytes 00..1f as nonce.
constexpr const char* nonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

json::Object ec_key() {
  return {{"kty", "EC"},
          {"crv", "P-256"},
          {"alg", "ECDH-ES+A256KW"},
          {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
          {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}};
}

RuntimeData valid(std::string additional = {}) {
  auto data = RuntimeData::create(nonce, ec_key(), std::move(additional));
  EXPECT_TRUE(data) << to_string(data.error());
  return *std::move(data);
}

ErrorCode refusal(const json::Value& key) {
  const auto data = RuntimeData::create(nonce, key);
  EXPECT_FALSE(data);
  return data ? ErrorCode{EvidenceError::unknown_tee} : data.error().code;
}

TEST(RuntimeData, primary_form_hashes_to_upstreams_vectors) {
  EXPECT_EQ(valid().primary_text().size(), 244U);
  EXPECT_EQ(codec::hex_encode(valid().primary_digest()),
            "dfa65d498315212bdaf8857231cf0482172933db271f15856bf30db447227eb5b1dd9e29fcc1fb9076fb00792c3bb7e7");
  EXPECT_EQ(codec::hex_encode(valid().primary_digest(HashAlgorithm::sha512)),
            "f30620e2296f8fae4f6be275a1d3f775ed4f36d1ecfe898480ec95aac074f3165510bc7f994d4736af1bc835bd756d38ca6be9d1"
            "74875e9316c338523c20994b");
}

TEST(RuntimeData, device_form_leaves_the_additional_evidence_member_out) {
  EXPECT_EQ(valid("anything").device_text().size(), 219U);
  EXPECT_EQ(codec::hex_encode(valid("anything").device_digest()),
            "cc12bca78af3e46d9ddb68eb97122047abb52703f1cec34bd0adc12c5ac8c860b1ada6c8729e54f2172908b77572364a");
}

TEST(RuntimeData, additional_evidence_is_hashed_as_the_string_it_is_on_the_wire) {
  const auto data = valid(R"({"sampledevice":{"svn":"2","report_data":)"
                          R"("zBK8p4rz5G2d22jrlxIgR6u1JwPxzsNL0K3BLFrIyGCxrabIcp5U8hcpCLd1cjZK"}})");
  EXPECT_EQ(data.primary_text().size(), 363U);
  EXPECT_EQ(codec::hex_encode(data.primary_digest()),
            "8016e15cc0aef7923faf39f9ff3a528aa82a3776ccba8836edae6e041497b22fb00b0572720c726dcbc946d7593ed753");
}

TEST(RuntimeData, structured_data_hashes_to_upstreams_vector) {
  const auto value = json::parse(R"({"b":1,"a":"test","c":{"d":"e"}})");
  const auto digest = structured_digest(*value, HashAlgorithm::sha384);
  ASSERT_TRUE(digest);
  EXPECT_EQ(codec::hex_encode(*digest),
            "e71ce8e70d814ba6639c3612ebee0ff1f76f650f8dbb5e47157e0f3f525cd22c4597480a186427c813ca941da78870c3");
}

TEST(RuntimeData, structured_data_without_a_canonical_form_is_refused) {
  const auto digest = structured_digest(json::Object{{"n", std::uint64_t{1} << 60}}, HashAlgorithm::sha384);
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().code, EvidenceError::bad_runtime_data);
}

TEST(RuntimeData, unknown_members_of_the_key_vanish_before_hashing) {
  auto key = ec_key();
  key.set("kid", "mine");
  key.set("use", "enc");
  const auto data = RuntimeData::create(nonce, key);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->primary_text(), valid().primary_text());
  EXPECT_FALSE(data->tee_pubkey().contains("kid"));
}

TEST(RuntimeData, rsa_keys_keep_their_four_members) {
  const json::Object key{{"kty", "RSA"}, {"alg", "RSA-OAEP-256"}, {"n", "AQ"}, {"e", "AQAB"}, {"x", "no"}};
  const auto data = RuntimeData::create("n", key);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->device_text(),
            R"({"nonce":"n","tee-pubkey":{"alg":"RSA-OAEP-256","e":"AQAB","kty":"RSA","n":"AQ"}})");
}

TEST(RuntimeData, a_key_that_is_no_jwk_is_refused) {
  EXPECT_EQ(refusal("text"), EvidenceError::bad_runtime_data);
  EXPECT_EQ(refusal(json::Object{}), EvidenceError::bad_runtime_data);
  auto key = ec_key();
  key.set("kty", "oct");
  EXPECT_EQ(refusal(key), EvidenceError::bad_runtime_data);
}

TEST(RuntimeData, each_member_of_the_key_is_required_as_a_string) {
  for (const auto name : {"kty", "crv", "alg", "x", "y"}) {
    auto key = ec_key();
    key.erase(name);
    EXPECT_EQ(refusal(key), EvidenceError::bad_runtime_data) << name;
    key.set(name, 7);
    EXPECT_EQ(refusal(key), EvidenceError::bad_runtime_data) << name;
  }
}

TEST(HashSelection, a_client_without_a_selection_uses_sha384) {
  EXPECT_EQ(*selected_hash_algorithm(""), HashAlgorithm::sha384);
  EXPECT_EQ(*selected_hash_algorithm(json::Object{}), HashAlgorithm::sha384);
}

TEST(HashSelection, a_client_takes_the_selected_algorithm_in_any_case) {
  for (const auto& [name, algorithm] :
       {std::pair{"SHA512", HashAlgorithm::sha512}, {"sha256", HashAlgorithm::sha256}, {"Sm3", HashAlgorithm::sm3}}) {
    const auto selected = selected_hash_algorithm(json::Object{{"selected-hash-algorithm", name}});
    ASSERT_TRUE(selected) << name;
    EXPECT_EQ(*selected, algorithm);
  }
}

TEST(HashSelection, a_client_refuses_a_selection_that_it_does_not_know) {
  for (const auto& bad : {json::Value{"sha1"}, json::Value{"md5"}, json::Value{512}, json::Value{nullptr}}) {
    const auto selected = selected_hash_algorithm(json::Object{{"selected-hash-algorithm", bad}});
    ASSERT_FALSE(selected);
    EXPECT_EQ(selected.error().code, EvidenceError::unsupported_hash);
  }
}

TEST(HashSelection, a_server_selects_for_se_alone) {
  const auto snp = select_hash_algorithm(TeeKind::snp, offered_hash_algorithms());
  ASSERT_TRUE(snp);
  EXPECT_EQ(snp->algorithm, HashAlgorithm::sha384);
  EXPECT_EQ(snp->extra_params, json::Value{""});
  const auto se = select_hash_algorithm(TeeKind::se, offered_hash_algorithms());
  ASSERT_TRUE(se);
  EXPECT_EQ(se->algorithm, HashAlgorithm::sha512);
  EXPECT_EQ(se->extra_params, (json::Value{json::Object{{"selected-hash-algorithm", "sha512"}}}));
}

TEST(HashSelection, se_without_an_offer_gets_no_selection) {
  EXPECT_EQ(select_hash_algorithm(TeeKind::se, "")->extra_params, json::Value{""});
}

TEST(HashSelection, se_refuses_an_offer_without_sha512) {
  const auto se =
      select_hash_algorithm(TeeKind::se, json::Object{{"supported-hash-algorithms", json::Array{"sha256", "sha384"}}});
  ASSERT_FALSE(se);
  EXPECT_EQ(se.error().code, EvidenceError::unsupported_hash);
}

}  // namespace
}  // namespace coffer::evidence

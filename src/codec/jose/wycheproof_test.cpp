// Wycheproof's JOSE files. Cases of algorithms that are not offered are skipped by that reason, valid or not.
#include <gtest/gtest.h>

#include <array>

#include "codec/base64.h"
#include "codec/jose/jwe.h"
#include "codec/jose/jws.h"
#include "testing/vector_tally.h"
#include "testing/vectors.h"

namespace coffer::codec::jose {
namespace {

struct Case {
  const json::Value& group;
  const json::Value& test;

  std::string id() const { return std::to_string(*test.find("tcId")->if_int64()); }
  std::string text(std::string_view member) const {
    const auto& value = *test.find(member);
    return value.if_string() != nullptr ? *value.if_string() : json::serialize(value);
  }
  bool is_valid() const { return *test.find("result") == json::Value{"valid"}; }
  bool has(std::string_view member) const { return test.find(member) != nullptr; }
  bool comment_is(std::string_view comment) const { return *test.find("comment") == json::Value{comment}; }
  // The key that a receiver of signatures holds, or of encrypted messages.
  const json::Value& verification_key() const {
    const auto* key = group.find("public");
    return key == nullptr ? *group.find("private") : *key;
  }
  const json::Value& decryption_key() const { return *group.find("private"); }
};

// One key of a set or the key itself; null where the set has several.
const json::Value* single_key(const json::Value& jwk) {
  const auto* keys = jwk.find("keys");
  if (keys == nullptr) return &jwk;
  return keys->if_array()->size() == 1 ? &keys->if_array()->front() : nullptr;
}

bool is_symmetric(const json::Value* jwk) {
  return jwk == nullptr || *jwk->find("kty") == json::Value{"oct"};
}

constexpr std::array signature_algorithms{
    SignatureAlgorithm::es256, SignatureAlgorithm::es384, SignatureAlgorithm::es512,
    SignatureAlgorithm::rs256, SignatureAlgorithm::rs384, SignatureAlgorithm::rs512,
    SignatureAlgorithm::ps256, SignatureAlgorithm::ps384, SignatureAlgorithm::ps512};

// Verifies as a receiver does that holds a JWK: the token must be of the algorithm and use that the key names.
Result<> verify_with(const std::string& token, const json::Value& jwk) {
  const auto key = TRY(parse_jwk(jwk));
  const auto jws = TRY(UnverifiedJws::parse_compact(token));
  TRY(check_use(key, KeyUse::verify, jws.alg));
  return verify(jws, key.key, signature_algorithms);
}

// Why a case is not decided, or nothing.
std::string reason_to_skip_signature(const Case& c) {
  if (is_symmetric(single_key(c.verification_key()))) return "HMAC signatures are not offered";
  if (c.comment_is("rejectsKeyWithRocaVulnerability"))
    return "keys are not searched for the ROCA weakness of one vendor's generator";
  const auto* alg = single_key(c.verification_key())->find("alg");
  const bool rfc7520 = c.group.find("comment")->if_string()->starts_with("rfc7520");
  if (rfc7520 && (*alg == json::Value{"ES521"} || c.comment_is("Figure20"))) {
    return "the file gives the key another alg than its token has, which is refused here (the cookbook has the same "
           "token)";
  }
  return "";
}

void decide_signature(const Case& c, testing::VectorTally& tally) {
  if (const auto reason = reason_to_skip_signature(c); !reason.empty()) return tally.skip(reason, c.id());
  const auto result = verify_with(c.text("jws"), *single_key(c.verification_key()));
  EXPECT_EQ(result.has_value(), c.is_valid()) << c.id() << (result ? "" : ": " + to_string(result.error()));
  tally.ran();
}

// The key management that the key is for; nothing where it is not offered.
std::optional<KeyManagement> key_management_of(const json::Value& jwk) {
  const auto* alg = jwk.find("alg")->if_string();
  // RFC 7520 names the content encryption where the key is the content key.
  return alg->ends_with("GCM") ? KeyManagement::dir : parse_key_management(*alg);
}

Result<SecretBytes> decrypt_with(const std::string& text, const json::Value& jwk, KeyManagement algorithm) {
  const std::array allowed{algorithm};
  if (!is_symmetric(&jwk)) return decrypt(text, TRY(parse_private_jwk(jwk)), allowed);
  return decrypt_symmetric(text, TRY(base64url_decode(*jwk.find("k")->if_string())), allowed);
}

// A refusal that says nothing about what the case tests, or "" where the case was decided.
std::string reason_of_refusal(const Result<SecretBytes>& opened) {
  if (opened || opened.error().code != JoseError::algorithm_not_allowed) return "";
  const auto& message = opened.error().message;
  if (message.find("zip") != std::string::npos) return "compression is not offered";
  const bool content = message.find("content encryption") != std::string::npos;
  return content ? "content encryption other than AES-GCM is not offered" : "";
}

void decide_encryption(const Case& c, testing::VectorTally& tally) {
  const auto& jwk = c.decryption_key();
  const auto algorithm = key_management_of(jwk);
  if (!algorithm) return tally.skip("the key management " + *jwk.find("alg")->if_string() + " is not offered", c.id());
  const auto opened = decrypt_with(c.text("jwe"), jwk, *algorithm);
  if (const auto reason = reason_of_refusal(opened); !reason.empty()) return tally.skip(reason, c.id());
  EXPECT_EQ(opened.has_value(), c.is_valid()) << c.id() << (opened ? "" : ": " + to_string(opened.error()));
  if (opened && c.has("pt")) EXPECT_EQ(hex_encode(opened->expose()), c.text("pt")) << c.id();
  tally.ran();
}

void run_file(const std::string& name) {
  testing::VectorTally tally(name);
  const auto file = json::parse(testing::read_vector(name)).value();
  for (const auto& group : *file.find("testGroups")->if_array()) {
    for (const auto& test : *group.find("tests")->if_array()) {
      const Case c{group, test};
      if (c.has("jwe")) {
        decide_encryption(c, tally);
      } else {
        decide_signature(c, tally);
      }
    }
  }
}

TEST(wycheproof_jose, json_web_signature_file_is_decided) {
  COFFER_REQUIRE_VECTORS();
  run_file("wycheproof/json_web_signature_test.json");
}

TEST(wycheproof_jose, json_web_encryption_file_is_decided) {
  COFFER_REQUIRE_VECTORS();
  run_file("wycheproof/json_web_encryption_test.json");
}

TEST(wycheproof_jose, json_web_crypto_file_is_decided) {
  COFFER_REQUIRE_VECTORS();
  run_file("wycheproof/json_web_crypto_test.json");
}

TEST(wycheproof_jose, json_web_key_file_is_decided) {
  COFFER_REQUIRE_VECTORS();
  run_file("wycheproof/json_web_key_test.json");
}

}  // namespace
}  // namespace coffer::codec::jose

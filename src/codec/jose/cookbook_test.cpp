// The examples of RFC 7520 and RFC 8037, in the form of the IETF's cookbook repository.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "codec/base64.h"
#include "codec/jose/jwe.h"
#include "codec/jose/jws.h"
#include "testing/vector_tally.h"
#include "testing/vectors.h"

namespace coffer::codec::jose {
namespace {

constexpr std::array signatures{SignatureAlgorithm::es256, SignatureAlgorithm::es384, SignatureAlgorithm::es512,
                                SignatureAlgorithm::rs256, SignatureAlgorithm::ps384, SignatureAlgorithm::eddsa};
constexpr std::array key_managements{KeyManagement::ecdh_es_a256kw, KeyManagement::ecdh_es_a128kw,
                                     KeyManagement::rsa_oaep,       KeyManagement::rsa1_5,
                                     KeyManagement::a128kw,         KeyManagement::dir};

struct Example {
  std::string name;
  json::Value content;

  const json::Value& at(std::string_view pointer) const { return *content.at_pointer(pointer); }
};

std::vector<Example> examples(const std::string& folder) {
  std::vector<Example> out;
  for (const auto& entry : std::filesystem::directory_iterator(*testing::vectors_directory() / folder)) {
    const auto name = entry.path().filename().string();
    out.push_back({name, json::parse(testing::read_vector(folder + "/" + name)).value()});
  }
  return out;
}

// The forms of one example that are there: "compact" as text, "json" and "json_flat" as objects.
std::vector<std::string> forms(const Example& example) {
  std::vector<std::string> out;
  for (const auto& [name, form] : *example.at("/output").if_object()) {
    out.push_back(form.if_string() != nullptr ? *form.if_string() : json::serialize(form));
  }
  return out;
}

// As many JWK as the example has, in its order.
json::Array keys(const Example& example) {
  const auto& key = example.at("/input/key");
  return key.if_array() != nullptr ? *key.if_array() : json::Array{key};
}

bool is_symmetric(const json::Value& jwk) {
  return *jwk.find("kty") == json::Value{"oct"};
}

TEST(cookbook, keys_are_read_and_written_back) {
  COFFER_REQUIRE_VECTORS();
  testing::VectorTally tally("jose/jwk");
  for (const auto& example : examples("jose/jwk")) {
    const auto jwk = parse_jwk(example.content);
    ASSERT_TRUE(jwk) << example.name << ": " << to_string(jwk.error());
    const bool is_private = example.content.find("d") != nullptr;
    const auto written =
        is_private ? to_private_jwk(parse_private_jwk(example.content).value()).value() : to_jwk(jwk->key);
    for (const auto& [name, value] : written)
      EXPECT_EQ(*example.content.find(name), value) << example.name << " " << name;
    tally.ran();
  }
}

std::vector<UnverifiedJws> parse_any(const std::string& text) {
  if (text.front() == '{') return UnverifiedJws::parse_json(text).value();
  return {UnverifiedJws::parse_compact(text).value()};
}

void check_signatures(const Example& example, testing::VectorTally& tally) {
  const auto jwks = keys(example);
  for (const auto& form : forms(example)) {
    const auto signed_forms = parse_any(form);
    ASSERT_EQ(signed_forms.size(), jwks.size()) << example.name;
    for (std::size_t i = 0; i < jwks.size(); ++i) {
      if (is_symmetric(jwks[i])) {
        tally.skip("HMAC signatures are not offered", example.name);
        continue;
      }
      const auto result = verify(signed_forms[i], parse_jwk(jwks[i])->key, signatures);
      EXPECT_TRUE(result) << example.name << ": " << to_string(result.error());
      EXPECT_EQ(as_text(signed_forms[i].payload), *example.at("/input/payload").if_string());
      tally.ran();
    }
  }
}

TEST(cookbook, signatures_verify_in_every_form) {
  COFFER_REQUIRE_VECTORS();
  testing::VectorTally tally("jose/jws, jose/curve25519");
  for (const auto* folder : {"jose/jws", "jose/curve25519"}) {
    for (const auto& example : examples(folder)) check_signatures(example, tally);
  }
}

TEST(cookbook, reproducible_signatures_are_reproduced) {
  COFFER_REQUIRE_VECTORS();
  testing::VectorTally tally("jose reproducible signatures");
  for (const auto* folder : {"jose/jws", "jose/curve25519"}) {
    for (const auto& example : examples(folder)) {
      const auto* reproducible = example.content.find("reproducible");
      if (reproducible == nullptr || !*reproducible->if_bool()) {
        tally.skip("the signature has randomness in it", example.name);
        continue;
      }
      const auto key = parse_private_jwk(example.at("/input/key")).value();
      const auto header = *example.at("/signing/protected").if_object();
      const auto algorithm = *parse_signature_algorithm(*example.at("/input/alg").if_string());
      const auto payload = as_bytes(*example.at("/input/payload").if_string());
      EXPECT_EQ(sign_compact(header, payload, key, algorithm).value(), *example.at("/output/compact").if_string());
      tally.ran();
    }
  }
}

Result<SecretBytes> open_with(const std::string& text, const json::Value& jwk) {
  if (!is_symmetric(jwk)) return decrypt(text, TRY(parse_private_jwk(jwk)), key_managements);
  return decrypt_symmetric(text, TRY(base64url_decode(*jwk.find("k")->if_string())), key_managements);
}

TEST(cookbook, encrypted_messages_open_in_every_form) {
  COFFER_REQUIRE_VECTORS();
  testing::VectorTally tally("jose/jwe");
  for (const auto& example : examples("jose/jwe")) {
    for (const auto& form : forms(example)) {
      for (const auto& jwk : keys(example)) {
        const auto opened = open_with(form, jwk);
        if (example.name.starts_with("5_13")) {
          // Content in AES-CBC with HMAC: refused, with the reason.
          ASSERT_FALSE(opened);
          EXPECT_EQ(opened.error().code, JoseError::algorithm_not_allowed);
          tally.skip("its content encryption, AES-CBC with HMAC, is not offered (the refusal is checked)",
                     example.name);
          continue;
        }
        ASSERT_TRUE(opened) << example.name << ": " << to_string(opened.error());
        EXPECT_EQ(as_text(opened->expose()), *example.at("/input/plaintext").if_string());
        tally.ran();
      }
    }
  }
}

}  // namespace
}  // namespace coffer::codec::jose

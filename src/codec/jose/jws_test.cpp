#include "codec/jose/jws.h"

#include <gtest/gtest.h>

#include <array>

#include "codec/base64.h"

namespace coffer::codec::jose {
namespace {

using crypto::KeyKind;
using crypto::PrivateKey;

constexpr std::array everything{SignatureAlgorithm::es256, SignatureAlgorithm::es384, SignatureAlgorithm::es512,
                                SignatureAlgorithm::rs256, SignatureAlgorithm::rs384, SignatureAlgorithm::rs512,
                                SignatureAlgorithm::ps256, SignatureAlgorithm::ps384, SignatureAlgorithm::ps512,
                                SignatureAlgorithm::eddsa};

const PrivateKey& ec_key() {
  static const auto key = PrivateKey::generate(KeyKind::ec_p256).value();
  return key;
}

std::string b64(std::string_view text) {
  return base64url_encode(as_bytes(text));
}

std::string token_of(json::Object header = {}, std::string_view payload = "payload") {
  return sign_compact(std::move(header), as_bytes(payload), ec_key(), SignatureAlgorithm::es256).value();
}

// A token whose header text is anything, signed correctly over it.
std::string token_with_header(std::string_view header) {
  const auto input = b64(header) + "." + b64("payload");
  return input + "." + base64url_encode(ec_key().sign(SignatureAlgorithm::es256, as_bytes(input)).value());
}

Result<> check(std::string_view token, std::span<const SignatureAlgorithm> allowed = everything) {
  const auto jws = TRY(UnverifiedJws::parse_compact(token));
  return verify(jws, ec_key().public_key(), allowed);
}

template <class T>
void expect_code(const Result<T>& result, JoseError code, std::string_view what = "") {
  ASSERT_FALSE(result) << what;
  EXPECT_EQ(result.error().code, code) << what << ": " << to_string(result.error());
}

TEST(jws, every_algorithm_signs_and_verifies) {
  for (const auto kind : {KeyKind::ec_p256, KeyKind::ec_p384, KeyKind::ec_p521, KeyKind::rsa, KeyKind::ed25519}) {
    const auto key = PrivateKey::generate(kind).value();
    for (const auto algorithm : everything) {
      if (!crypto::fits(algorithm, kind)) continue;
      const auto token = sign_compact({}, as_bytes("payload"), key, algorithm).value();
      const auto jws = UnverifiedJws::parse_compact(token).value();
      EXPECT_EQ(jws.alg, name_of(algorithm));
      EXPECT_EQ(as_text(jws.payload), "payload");
      EXPECT_TRUE(verify(jws, key.public_key(), everything)) << name_of(algorithm);
      const std::array only{algorithm};
      EXPECT_TRUE(verify(jws, key.public_key(), only));
    }
  }
}

TEST(jws, names_of_algorithms_read_back) {
  for (const auto algorithm : everything) EXPECT_EQ(parse_signature_algorithm(name_of(algorithm)), algorithm);
  for (const auto* name : {"none", "HS256", "es256", "ES256K", ""})
    EXPECT_EQ(parse_signature_algorithm(name), std::nullopt);
}

TEST(jws, alg_stands_first_or_where_the_header_has_it) {
  EXPECT_EQ(token_of({{"kid", "k"}}).substr(0, 31), b64(R"({"alg":"ES256","kid":"k"})").substr(0, 31));
  const auto header = UnverifiedJws::parse_compact(token_of({{"kid", "k"}, {"alg", "x"}, {"typ", "JWT"}}))->header;
  EXPECT_EQ(json::serialize(header), R"({"kid":"k","alg":"ES256","typ":"JWT"})");
}

TEST(jws, an_empty_payload_is_signed_too) {
  EXPECT_TRUE(check(token_of({}, "")));
}

TEST(jws, signing_with_an_algorithm_of_another_kind_is_refused) {
  expect_code(sign_compact({}, {}, ec_key(), SignatureAlgorithm::rs256), JoseError::bad_key);
}

TEST(jws, a_change_anywhere_breaks_the_signature) {
  const auto token = token_of();
  const auto signature = token.substr(token.rfind('.'));
  expect_code(check(b64(R"({"alg":"ES256","x":1})") + "." + b64("payload") + signature), JoseError::bad_signature);
  expect_code(check(b64(R"({"alg":"ES256"})") + "." + b64("other") + signature), JoseError::bad_signature);
  expect_code(check(b64(R"({"alg":"ES256"})") + "." + b64("payload") + "." + base64url_encode(Bytes(64))),
              JoseError::bad_signature);
  expect_code(check(token.substr(0, token.rfind('.') + 1)), JoseError::bad_signature);
}

TEST(jws, none_and_unknown_algorithms_are_not_allowed) {
  for (const auto* alg : {"none", "NONE", "None", "HS256", "ES256K", "es256", ""}) {
    expect_code(check(token_with_header(R"({"alg":")" + std::string{alg} + "\"}")), JoseError::algorithm_not_allowed,
                alg);
  }
  expect_code(check(b64(R"({"alg":"none"})") + "." + b64("payload") + "."), JoseError::algorithm_not_allowed);
}

TEST(jws, algorithms_outside_the_list_are_not_allowed) {
  const std::array only_es384{SignatureAlgorithm::es384};
  expect_code(check(token_of(), only_es384), JoseError::algorithm_not_allowed);
  expect_code(check(token_of(), {}), JoseError::algorithm_not_allowed);
}

TEST(jws, the_token_does_not_choose_how_a_key_is_used) {
  for (const auto* alg : {"RS256", "PS256", "EdDSA", "ES384"}) {
    expect_code(check(token_with_header(R"({"alg":")" + std::string{alg} + "\"}")), JoseError::algorithm_not_allowed,
                alg);
  }
}

TEST(jws, a_key_inside_the_token_changes_nothing) {
  const auto stranger = PrivateKey::generate(KeyKind::ec_p256).value();
  const auto token =
      sign_compact({{"jwk", to_jwk(stranger.public_key())}}, as_bytes("payload"), stranger, SignatureAlgorithm::es256);
  expect_code(check(*token), JoseError::bad_signature);
}

TEST(jws, critical_headers_are_refused) {
  for (const auto* header : {R"({"alg":"ES256","crit":["b64"],"b64":false})", R"({"alg":"ES256","crit":[]})",
                             R"({"alg":"ES256","crit":"exp"})"}) {
    expect_code(check(token_with_header(header)), JoseError::critical_header, header);
  }
}

TEST(jws, headers_of_another_shape_are_malformed) {
  for (const auto* header : {"", "[]", "\"x\"", "{", "{}", R"({"alg":1})", R"({"alg":null})",
                             R"({"alg":"ES256","alg":"ES256"})", "{\"alg\":\"ES256\",\"x\":\"\xff\"}"}) {
    expect_code(check(token_with_header(header)), JoseError::malformed, header);
  }
}

TEST(jws, texts_of_another_shape_are_malformed) {
  const auto token = token_of();
  for (const std::string& text :
       {std::string{}, std::string{"."}, std::string{".."}, std::string{"a.b"}, token + ".", token + ".AA",
        token.substr(0, token.rfind('.')), token + "=", " " + token, token + "\n", "+" + token}) {
    expect_code(check(text), JoseError::malformed, text);
  }
}

// The parts of a token in the JSON forms.
struct JsonForm {
  json::Object flattened;
  JsonForm() {
    const auto token = token_of();
    const auto first = token.find('.');
    const auto second = token.rfind('.');
    flattened = {{"payload", token.substr(first + 1, second - first - 1)},
                 {"protected", token.substr(0, first)},
                 {"signature", token.substr(second + 1)}};
  }
  json::Object general() const {
    return {{"payload", *flattened.find("payload")},
            {"signatures", json::Array{json::Object{{"protected", *flattened.find("protected")},
                                                    {"header", json::Object{{"kid", "k"}}},
                                                    {"signature", *flattened.find("signature")}}}}};
  }
};

Result<std::vector<UnverifiedJws>> parse(const json::Object& object) {
  return UnverifiedJws::parse_json(json::serialize(object));
}

TEST(jws, flattened_and_general_json_verify) {
  const JsonForm form;
  const auto flattened = parse(form.flattened).value();
  ASSERT_EQ(flattened.size(), 1U);
  EXPECT_TRUE(verify(flattened[0], ec_key().public_key(), everything));
  const auto general = parse(form.general()).value();
  ASSERT_EQ(general.size(), 1U);
  EXPECT_EQ(*general[0].header.find("kid"), json::Value{"k"});
  EXPECT_TRUE(verify(general[0], ec_key().public_key(), everything));
}

TEST(jws, a_name_in_both_headers_is_malformed) {
  auto object = JsonForm{}.flattened;
  object.set("header", json::Object{{"alg", "ES256"}});
  expect_code(parse(object), JoseError::malformed);
}

TEST(jws, critical_headers_are_refused_in_the_unprotected_header_too) {
  auto object = JsonForm{}.flattened;
  object.set("header", json::Object{{"crit", json::Array{"x"}}});
  expect_code(verify(parse(object).value().at(0), ec_key().public_key(), everything), JoseError::critical_header);
}

TEST(jws, json_forms_of_another_shape_are_malformed) {
  const JsonForm form;
  for (const auto* name : {"payload", "signature", "protected"}) {
    auto object = form.flattened;
    object.erase(name);
    expect_code(parse(object), JoseError::malformed, name);
    object.set(name, 1);
    expect_code(parse(object), JoseError::malformed, name);
  }
  auto object = form.general();
  object.set("signature", "AA");
  expect_code(parse(object), JoseError::malformed, "both forms at once");
  object = form.general();
  object.set("signatures", json::Array{});
  expect_code(parse(object), JoseError::malformed, "no signature");
  object.set("signatures", json::Array(17, form.general().find("signatures")->if_array()->front()));
  expect_code(parse(object), JoseError::malformed, "too many");
  object.set("signatures", json::Array{1});
  expect_code(parse(object), JoseError::malformed, "a number");
  object = form.flattened;
  object.set("header", 1);
  expect_code(parse(object), JoseError::malformed, "header");
  expect_code(UnverifiedJws::parse_json("[]"), JoseError::malformed);
  expect_code(UnverifiedJws::parse_json(""), JoseError::malformed);
}

}  // namespace
}  // namespace coffer::codec::jose

#include "codec/jose/jwk.h"

#include <gtest/gtest.h>

#include <array>

#include "codec/base64.h"

namespace coffer::codec::jose {
namespace {

using crypto::KeyKind;
using crypto::PrivateKey;

constexpr std::array all_kinds{KeyKind::ec_p256, KeyKind::ec_p384, KeyKind::ec_p521, KeyKind::rsa, KeyKind::ed25519};

const PrivateKey& key_of(KeyKind kind) {
  static const std::array keys{
      PrivateKey::generate(KeyKind::ec_p256).value(), PrivateKey::generate(KeyKind::ec_p384).value(),
      PrivateKey::generate(KeyKind::ec_p521).value(), PrivateKey::generate(KeyKind::rsa).value(),
      PrivateKey::generate(KeyKind::ed25519).value()};
  return keys[static_cast<std::size_t>(kind)];
}

// RFC 7515 appendix A.3.
json::Object ec_jwk() {
  return {{"kty", "EC"},
          {"crv", "P-256"},
          {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
          {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}};
}

// RFC 7638 section 3.1.
json::Object rsa_jwk() {
  return {{"kty", "RSA"},
          {"n",
           "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
           "BJECPebWKRXjBZCiFV4n3oknj"
           "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
           "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
           "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
           "kEgU8awapJzK"
           "nqDKgw"},
          {"e", "AQAB"},
          {"alg", "RS256"},
          {"kid", "2011-04-29"}};
}

json::Object with(json::Object jwk, std::string_view name, json::Value value) {
  jwk.set(name, std::move(value));
  return jwk;
}

json::Object without(json::Object jwk, std::string_view name) {
  jwk.erase(name);
  return jwk;
}

template <class T>
void expect_code(const Result<T>& result, JoseError code, std::string_view what = "") {
  ASSERT_FALSE(result) << what;
  EXPECT_EQ(result.error().code, code) << what << ": " << to_string(result.error());
}

std::string repeated(char c, std::size_t count) {
  return std::string(count, c);
}

TEST(jwk, public_keys_of_every_kind_round_trip) {
  for (const auto kind : all_kinds) {
    const auto key = key_of(kind).public_key();
    const auto jwk = parse_jwk(to_jwk(key, "ALG", "kid-1"));
    ASSERT_TRUE(jwk) << to_string(jwk.error());
    EXPECT_EQ(jwk->key, key);
    EXPECT_EQ(jwk->alg, "ALG");
    EXPECT_EQ(jwk->kid, "kid-1");
    EXPECT_EQ(jwk->use, std::nullopt);
  }
}

TEST(jwk, the_public_half_of_a_private_key_is_written_as_the_public_key_is) {
  for (const auto kind : all_kinds) {
    const auto key = key_of(kind);
    const auto jwk = to_public_jwk(key);
    if (kind == KeyKind::rsa) {
      expect_code(jwk, JoseError::bad_key);
    } else {
      ASSERT_TRUE(jwk) << to_string(jwk.error());
      EXPECT_EQ(*jwk, to_jwk(key.public_key()));
    }
  }
}

TEST(jwk, private_keys_of_every_kind_round_trip) {
  for (const auto kind : all_kinds) {
    const auto jwk = to_private_jwk(key_of(kind));
    ASSERT_TRUE(jwk) << to_string(jwk.error());
    const auto key = parse_private_jwk(*jwk);
    ASSERT_TRUE(key) << to_string(key.error());
    EXPECT_EQ(key->public_key(), key_of(kind).public_key());
    const auto algorithm = crypto::default_algorithm(kind);
    EXPECT_TRUE(
        key_of(kind).public_key().verify(algorithm, as_bytes("m"), key->sign(algorithm, as_bytes("m")).value()));
  }
}

TEST(jwk, members_are_written_in_the_documented_order) {
  const auto ec = to_jwk(parse_jwk(ec_jwk())->key, "ES256", "k");
  EXPECT_EQ(json::serialize(ec),
            R"({"alg":"ES256","kid":"k","crv":"P-256","kty":"EC",)"
            R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
  const auto rsa = to_jwk(parse_jwk(rsa_jwk())->key);
  EXPECT_EQ(json::serialize(rsa).substr(0, 33), R"({"e":"AQAB","kty":"RSA","n":"0vx7)");
}

// RFC 7638 section 3.1 and RFC 8037 appendix A.3.
TEST(jwk, thumbprints_are_those_of_the_rfcs) {
  EXPECT_EQ(thumbprint(parse_jwk(rsa_jwk())->key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  const json::Object ed25519{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}};
  EXPECT_EQ(thumbprint(parse_jwk(ed25519)->key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(jwk, coordinates_must_have_their_full_length) {
  for (const auto* name : {"x", "y"}) {
    expect_code(parse_jwk(with(ec_jwk(), name, base64url_encode(Bytes(31, std::byte{1})))), JoseError::bad_key);
    expect_code(parse_jwk(with(ec_jwk(), name, base64url_encode(Bytes(33)))), JoseError::bad_key);
    expect_code(parse_jwk(with(ec_jwk(), name, "")), JoseError::bad_key);
  }
  const json::Object ed25519{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", base64url_encode(Bytes(31))}};
  expect_code(parse_jwk(ed25519), JoseError::bad_key);
}

TEST(jwk, p521_coordinates_keep_their_leading_zeros) {
  const auto jwk = to_jwk(key_of(KeyKind::ec_p521).public_key());
  EXPECT_EQ(base64url_decode(*jwk.find("x")->if_string())->size(), 66U);
  EXPECT_EQ(base64url_decode(*jwk.find("y")->if_string())->size(), 66U);
}

TEST(jwk, points_off_their_curve_are_refused) {
  expect_code(parse_jwk(with(ec_jwk(), "y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1")), JoseError::bad_key,
              "stray bits");
  expect_code(parse_jwk(with(ec_jwk(), "y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5aw")), JoseError::bad_key);
  expect_code(parse_jwk(with(ec_jwk(), "x", repeated('_', 42) + "8")), JoseError::bad_key, "x is not below p");
}

TEST(jwk, unknown_kinds_and_curves_are_refused) {
  for (const auto* kty : {"oct", "AKP", "ec", ""})
    expect_code(parse_jwk(with(ec_jwk(), "kty", kty)), JoseError::bad_key, kty);
  for (const auto* crv : {"P-257", "secp256k1", "Ed25519", "p-256", ""}) {
    expect_code(parse_jwk(with(ec_jwk(), "crv", crv)), JoseError::bad_key, crv);
  }
  const json::Object x25519{{"kty", "OKP"}, {"crv", "X25519"}, {"x", base64url_encode(Bytes(32))}};
  expect_code(parse_jwk(x25519), JoseError::bad_key);
  expect_code(parse_jwk(with(x25519, "crv", "P-256")), JoseError::bad_key);
}

TEST(jwk, missing_and_mistyped_members_are_refused) {
  for (const auto* name : {"kty", "crv", "x", "y"}) {
    expect_code(parse_jwk(without(ec_jwk(), name)), JoseError::bad_key, name);
    expect_code(parse_jwk(with(ec_jwk(), name, 1)), JoseError::bad_key, name);
  }
  for (const auto* name : {"n", "e"}) expect_code(parse_jwk(without(rsa_jwk(), name)), JoseError::bad_key, name);
  for (const auto* name : {"alg", "kid", "use"}) {
    expect_code(parse_jwk(with(ec_jwk(), name, json::Array{})), JoseError::malformed, name);
  }
  expect_code(parse_jwk(with(ec_jwk(), "key_ops", "verify")), JoseError::malformed);
  expect_code(parse_jwk(with(ec_jwk(), "key_ops", json::Array{1})), JoseError::malformed);
  expect_code(parse_jwk("text"), JoseError::malformed);
  expect_code(parse_private_jwk(json::Array{}), JoseError::malformed);
}

TEST(jwk, weak_and_misspelt_rsa_keys_are_refused) {
  expect_code(parse_jwk(with(rsa_jwk(), "e", "AQ")), JoseError::bad_key, "exponent 1");
  expect_code(parse_jwk(with(rsa_jwk(), "e", "AAEAAQ")), JoseError::bad_key, "leading zero");
  expect_code(parse_jwk(with(rsa_jwk(), "e", "")), JoseError::bad_key);
  expect_code(parse_jwk(with(rsa_jwk(), "n", base64url_encode(Bytes(128, std::byte{0xff})))), JoseError::bad_key,
              "1024 bits");
  const auto n = *rsa_jwk().find("n")->if_string();
  expect_code(parse_jwk(with(rsa_jwk(), "n", "AA" + n)), JoseError::bad_key, "leading zero");
}

TEST(jwk, private_members_must_fit_the_public_ones) {
  const auto jwk = to_private_jwk(key_of(KeyKind::ec_p256)).value();
  expect_code(parse_private_jwk(without(jwk, "d")), JoseError::bad_key);
  expect_code(parse_private_jwk(with(jwk, "d", base64url_encode(Bytes(31, std::byte{1})))), JoseError::bad_key);
  expect_code(parse_private_jwk(with(jwk, "d", base64url_encode(Bytes(32)))), JoseError::bad_key, "zero");
  const auto other = to_private_jwk(PrivateKey::generate(KeyKind::ec_p256).value()).value();
  expect_code(parse_private_jwk(with(jwk, "d", *other.find("d"))), JoseError::bad_key);
  const auto ed25519 = to_private_jwk(key_of(KeyKind::ed25519)).value();
  expect_code(parse_private_jwk(with(ed25519, "d", base64url_encode(Bytes(32)))), JoseError::bad_key);
  const auto rsa = to_private_jwk(key_of(KeyKind::rsa)).value();
  for (const auto* name : {"d", "p", "q", "dp", "dq", "qi"}) {
    expect_code(parse_private_jwk(without(rsa, name)), JoseError::bad_key, name);
  }
}

TEST(jwk, a_key_serves_only_what_it_says) {
  const auto use = [](json::Object jwk, KeyUse wanted, std::string_view alg) {
    return check_use(parse_jwk(jwk).value(), wanted, alg);
  };
  EXPECT_TRUE(use(ec_jwk(), KeyUse::verify, "ES256"));
  EXPECT_TRUE(use(with(ec_jwk(), "use", "sig"), KeyUse::verify, "ES256"));
  EXPECT_TRUE(use(with(ec_jwk(), "use", "enc"), KeyUse::encrypt, "ECDH-ES+A256KW"));
  EXPECT_TRUE(use(with(ec_jwk(), "key_ops", json::Array{"sign", "verify"}), KeyUse::verify, "ES256"));
  EXPECT_TRUE(use(with(ec_jwk(), "key_ops", json::Array{"deriveKey"}), KeyUse::encrypt, "ECDH-ES+A256KW"));
  expect_code(use(with(ec_jwk(), "use", "enc"), KeyUse::verify, "ES256"), JoseError::bad_key);
  expect_code(use(with(ec_jwk(), "use", "sig"), KeyUse::encrypt, "ECDH-ES+A256KW"), JoseError::bad_key);
  expect_code(use(with(ec_jwk(), "key_ops", json::Array{"encrypt"}), KeyUse::verify, "ES256"), JoseError::bad_key);
  expect_code(use(with(ec_jwk(), "key_ops", json::Array{"verify"}), KeyUse::encrypt, "ECDH-ES+A256KW"),
              JoseError::bad_key);
  expect_code(use(with(ec_jwk(), "alg", "ES384"), KeyUse::verify, "ES256"), JoseError::bad_key);
}

TEST(jwk, sets_leave_out_what_is_not_understood) {
  const json::Value set{json::Object{{"keys", json::Array{ec_jwk(), json::Object{{"kty", "oct"}, {"k", "AA"}},
                                                          rsa_jwk(), 5, with(ec_jwk(), "x", "AA")}}}};
  const auto keys = parse_jwk_set(json::serialize(set)).value();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].key.kind(), KeyKind::ec_p256);
  EXPECT_EQ(keys[1].kid, "2011-04-29");
}

TEST(jwk, sets_of_another_shape_are_malformed) {
  for (const auto* text : {"", "[]", "{}", R"({"keys":{}})", "{\"keys\":["}) {
    expect_code(parse_jwk_set(text), JoseError::malformed, text);
  }
}

}  // namespace
}  // namespace coffer::codec::jose

#include "codec/jose/jwe.h"

#include <gtest/gtest.h>

#include <array>

#include "codec/base64.h"
#include "codec/jose/detail/jwe_encrypt.h"
#include "codec/jose/detail/jwe_keys.h"
#include "crypto/aead.h"
#include "crypto/key_wrap.h"

namespace coffer::codec::jose {
namespace {

using crypto::KeyKind;
using crypto::PrivateKey;

constexpr std::array every_algorithm{
    KeyManagement::ecdh_es_a256kw, KeyManagement::ecdh_es_a192kw, KeyManagement::ecdh_es_a128kw,
    KeyManagement::rsa_oaep_256,   KeyManagement::rsa_oaep,       KeyManagement::rsa1_5,
    KeyManagement::a256kw,         KeyManagement::a128kw,         KeyManagement::dir};

const PrivateKey& key_of(KeyKind kind) {
  static const std::array keys{
      PrivateKey::generate(KeyKind::ec_p256).value(), PrivateKey::generate(KeyKind::ec_p384).value(),
      PrivateKey::generate(KeyKind::ec_p521).value(), PrivateKey::generate(KeyKind::rsa).value(),
      PrivateKey::generate(KeyKind::ed25519).value()};
  return keys[static_cast<std::size_t>(kind)];
}

std::string b64(std::string_view text) {
  return base64url_encode(as_bytes(text));
}

json::Object object_of(std::string_view text) {
  return *json::parse(text).value().if_object();
}

json::Object protected_of(const json::Object& jwe) {
  return object_of(as_text(base64url_decode(*jwe.find("protected")->if_string()).value()));
}

json::Object flattened(KeyKind kind = KeyKind::ec_p256, KeyManagement algorithm = KeyManagement::ecdh_es_a256kw) {
  return object_of(encrypt_flattened(as_bytes("secret"), key_of(kind).public_key(), algorithm).value());
}

Result<SecretBytes> open(const json::Object& jwe, KeyKind kind = KeyKind::ec_p256,
                         std::span<const KeyManagement> allowed = every_algorithm) {
  return decrypt(json::serialize(jwe), key_of(kind), allowed);
}

json::Object with(json::Object object, std::string_view name, json::Value value) {
  object.set(name, std::move(value));
  return object;
}

json::Object without(json::Object object, std::string_view name) {
  object.erase(name);
  return object;
}

// The message with members of its protected header set; the tag no longer fits, which nothing that is tested here
// reaches.
json::Object with_protected(const json::Object& jwe, const json::Object& members) {
  auto header = protected_of(jwe);
  for (const auto& [name, value] : members) header.set(name, value);
  return with(jwe, "protected", b64(json::serialize(header)));
}

template <class T>
void expect_code(const Result<T>& result, JoseError code, std::string_view what = "") {
  ASSERT_FALSE(result) << what;
  EXPECT_EQ(result.error().code, code) << what << ": " << to_string(result.error());
}

PrivateKey private_key_of(const char* x, const char* y, const char* d) {
  return parse_private_jwk(json::Object{{"kty", "EC"}, {"crv", "P-256"}, {"x", x}, {"y", y}, {"d", d}}).value();
}

// RFC 7518 appendix C.
PrivateKey alice() {
  return private_key_of("gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
                        "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
}
PrivateKey bob() {
  return private_key_of("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ", "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
                        "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
}

Bytes counting(std::size_t size) {
  Bytes out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::byte>(i));
  return out;
}

TEST(jwe, the_wrapping_key_is_derived_as_upstream_does) {
  const auto secret = alice().ecdh(bob().public_key()).value();
  EXPECT_EQ(hex_encode(secret.expose()), "9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4");
  const auto key = detail::derive_wrapping_key(KeyManagement::ecdh_es_a256kw, secret.expose(), {}, {}).value();
  EXPECT_EQ(hex_encode(key.expose()), "89ab838633757805bd678cb164f2427776824e8f784152f23747096449921f46");
}

TEST(jwe, the_known_answer_of_upstreams_client_is_reproduced) {
  const detail::JweRandomness randomness{SecretBytes::copy_of(counting(32)), counting(12), alice()};
  const auto text =
      detail::encrypt_flattened_with(as_bytes("test"), bob().public_key(), KeyManagement::ecdh_es_a256kw, randomness);
  const auto protected_text =
      b64(R"({"alg":"ECDH-ES+A256KW","enc":"A256GCM","epk":{"crv":"P-256","kty":"EC",)"
          R"("x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0","y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}})");
  EXPECT_EQ(text.value(), R"({"protected":")" + protected_text +
                              R"(","encrypted_key":"T0NVWKoWucQiDmmVc2dmvQ8xVyt-7o5H1C0MnaCf5KFFpsfACs-0RQ",)"
                              R"("iv":"AAECAwQFBgcICQoL","ciphertext":"M2elbw","tag":"YvdaaDQjifWv1I67iNV1Wg"})");
  EXPECT_EQ(as_text(decrypt(*text, bob(), every_algorithm).value().expose()), "test");
}

TEST(jwe, every_key_and_algorithm_round_trips) {
  for (const auto kind : {KeyKind::ec_p256, KeyKind::ec_p384, KeyKind::ec_p521, KeyKind::rsa}) {
    for (const auto algorithm : every_algorithm) {
      if (!detail::fits(algorithm, kind)) continue;
      const auto jwe = flattened(kind, algorithm);
      EXPECT_EQ(*protected_of(jwe).find("alg"), json::Value{name_of(algorithm)});
      const std::array only{algorithm};
      const auto opened = open(jwe, kind, only);
      ASSERT_TRUE(opened) << name_of(algorithm) << ": " << to_string(opened.error());
      EXPECT_EQ(as_text(opened->expose()), "secret");
    }
  }
}

TEST(jwe, the_members_stand_in_the_order_that_upstream_rebuilds) {
  std::string names;
  for (const auto& [name, value] : flattened()) names += name + " ";
  EXPECT_EQ(names, "protected encrypted_key iv ciphertext tag ");
  const auto header = json::serialize(protected_of(flattened(KeyKind::rsa, KeyManagement::rsa_oaep_256)));
  EXPECT_EQ(header, R"({"alg":"RSA-OAEP-256","enc":"A256GCM"})");
  const auto p521 = json::serialize(protected_of(flattened(KeyKind::ec_p521)));
  EXPECT_EQ(p521.substr(0, 78), R"({"alg":"ECDH-ES+A256KW","enc":"A256GCM","epk":{"crv":"P-521","kty":"EC","x":"A)");
}

TEST(jwe, content_keys_and_ivs_are_new_each_time) {
  const auto a = flattened();
  const auto b = flattened();
  for (const auto* name : {"protected", "encrypted_key", "iv", "ciphertext", "tag"})
    EXPECT_NE(*a.find(name), *b.find(name));
}

TEST(jwe, an_empty_plaintext_is_kept) {
  const auto text = encrypt_flattened({}, key_of(KeyKind::ec_p256).public_key(), KeyManagement::ecdh_es_a256kw).value();
  EXPECT_TRUE(decrypt(text, key_of(KeyKind::ec_p256), every_algorithm)->empty());
}

TEST(jwe, compact_texts_open_too) {
  const auto jwe = flattened();
  std::string compact;
  for (const auto* name : {"protected", "encrypted_key", "iv", "ciphertext", "tag"}) {
    compact += (compact.empty() ? "" : ".") + *jwe.find(name)->if_string();
  }
  EXPECT_EQ(as_text(decrypt(compact, key_of(KeyKind::ec_p256), every_algorithm).value().expose()), "secret");
  expect_code(decrypt(compact + ".", key_of(KeyKind::ec_p256), every_algorithm), JoseError::malformed);
  expect_code(decrypt(compact.substr(0, compact.rfind('.')), key_of(KeyKind::ec_p256), every_algorithm),
              JoseError::malformed);
}

TEST(jwe, a_change_in_any_part_fails_with_one_and_the_same_error) {
  const auto jwe = flattened();
  const auto tampered = [&](std::string_view name) {
    auto bytes = base64url_decode(*jwe.find(name)->if_string()).value();
    bytes.back() ^= std::byte{1};
    return with(jwe, name, base64url_encode(bytes));
  };
  const auto expected = open(jwe, KeyKind::ec_p256).has_value() ? open(tampered("tag")).error().message : "";
  for (const auto* name : {"encrypted_key", "iv", "ciphertext", "tag"}) {
    expect_code(open(tampered(name)), JoseError::decryption_failed, name);
    EXPECT_EQ(open(tampered(name)).error().message, expected);
  }
  expect_code(open(with_protected(jwe, {{"kid", "x"}})), JoseError::decryption_failed);
  expect_code(open(with(jwe, "aad", "AA")), JoseError::decryption_failed);
  expect_code(open(without(jwe, "encrypted_key")), JoseError::decryption_failed);
}

TEST(jwe, another_key_does_not_open) {
  const auto stranger = PrivateKey::generate(KeyKind::ec_p256).value();
  expect_code(decrypt(json::serialize(flattened()), stranger, every_algorithm), JoseError::decryption_failed);
}

TEST(jwe, rsa_failures_look_like_wrong_tags) {
  for (const auto algorithm : {KeyManagement::rsa1_5, KeyManagement::rsa_oaep, KeyManagement::rsa_oaep_256}) {
    const auto jwe = flattened(KeyKind::rsa, algorithm);
    for (const auto size : {0, 1, 255, 256, 257}) {
      const auto spoilt =
          with(jwe, "encrypted_key", base64url_encode(Bytes(static_cast<std::size_t>(size), std::byte{1})));
      expect_code(open(spoilt, KeyKind::rsa), JoseError::decryption_failed);
    }
    // A key of another size under correct padding.
    const auto short_key = key_of(KeyKind::rsa).public_key().encrypt_pkcs1v15(Bytes(16)).value();
    expect_code(open(with(jwe, "encrypted_key", base64url_encode(short_key)), KeyKind::rsa),
                JoseError::decryption_failed);
  }
}

TEST(jwe, ephemeral_keys_must_be_points_of_the_recipients_curve) {
  const auto jwe = flattened();
  const auto epk = *protected_of(jwe).find("epk")->if_object();
  const auto p384 = to_jwk(key_of(KeyKind::ec_p384).public_key());
  for (const auto& spoilt : {json::Value{p384}, json::Value{with(epk, "y", epk.find("x")->as_string("x").value())},
                             json::Value{without(epk, "y")}, json::Value{"x"}, json::Value{nullptr}}) {
    expect_code(open(with_protected(jwe, {{"epk", spoilt}})), JoseError::decryption_failed, json::serialize(spoilt));
  }
  auto header = protected_of(jwe);
  header.erase("epk");
  expect_code(open(with(jwe, "protected", b64(json::serialize(header)))), JoseError::decryption_failed);
}

TEST(jwe, algorithms_outside_the_list_are_not_allowed) {
  const std::array only_rsa{KeyManagement::rsa_oaep_256};
  expect_code(open(flattened(), KeyKind::ec_p256, only_rsa), JoseError::algorithm_not_allowed);
  expect_code(open(flattened(), KeyKind::ec_p256, {}), JoseError::algorithm_not_allowed);
  const std::array no_legacy{KeyManagement::rsa_oaep_256, KeyManagement::rsa_oaep};
  expect_code(open(flattened(KeyKind::rsa, KeyManagement::rsa1_5), KeyKind::rsa, no_legacy),
              JoseError::algorithm_not_allowed);
}

TEST(jwe, algorithms_that_do_not_suit_the_key_are_not_allowed) {
  expect_code(open(flattened(), KeyKind::rsa), JoseError::algorithm_not_allowed);
  expect_code(open(flattened(KeyKind::rsa, KeyManagement::rsa_oaep), KeyKind::ec_p256),
              JoseError::algorithm_not_allowed);
  expect_code(open(flattened(), KeyKind::ed25519), JoseError::algorithm_not_allowed);
  expect_code(decrypt_symmetric(json::serialize(flattened()), Bytes(32), every_algorithm),
              JoseError::algorithm_not_allowed);
  for (const auto* alg : {"dir", "A256KW", "none", "ECDH-ES", "ecdh-es+a256kw", ""}) {
    expect_code(open(with_protected(flattened(), {{"alg", alg}})), JoseError::algorithm_not_allowed, alg);
  }
}

TEST(jwe, content_encryption_other_than_gcm_is_not_allowed) {
  for (const auto* enc : {"A128CBC-HS256", "A256CBC-HS512", "a256gcm", "none", ""}) {
    expect_code(open(with_protected(flattened(), {{"enc", enc}})), JoseError::algorithm_not_allowed, enc);
  }
}

TEST(jwe, compression_is_not_allowed) {
  expect_code(open(with_protected(flattened(), {{"zip", "DEF"}})), JoseError::algorithm_not_allowed);
}

TEST(jwe, critical_headers_are_refused_wherever_they_stand) {
  const json::Object critical{{"crit", json::Array{"exp"}}};
  expect_code(open(with_protected(flattened(), critical)), JoseError::critical_header);
  expect_code(open(with(flattened(), "unprotected", critical)), JoseError::critical_header);
  expect_code(open(with(flattened(), "header", critical)), JoseError::critical_header);
}

TEST(jwe, a_name_in_two_headers_is_malformed) {
  const json::Object again{{"alg", "ECDH-ES+A256KW"}};
  expect_code(open(with(flattened(), "unprotected", again)), JoseError::malformed);
  expect_code(open(with(flattened(), "header", again)), JoseError::malformed);
  const auto both =
      with(with(flattened(), "unprotected", json::Object{{"kid", "a"}}), "header", json::Object{{"kid", "b"}});
  expect_code(open(both), JoseError::malformed);
}

TEST(jwe, messages_of_another_shape_are_malformed) {
  for (const auto* name : {"protected", "iv", "ciphertext", "tag"}) {
    expect_code(open(without(flattened(), name)), JoseError::malformed, name);
    expect_code(open(with(flattened(), name, 1)), JoseError::malformed, name);
    expect_code(open(with(flattened(), name, "=")), JoseError::malformed, name);
  }
  expect_code(open(with(flattened(), "iv", base64url_encode(Bytes(16)))), JoseError::malformed);
  expect_code(open(with(flattened(), "tag", base64url_encode(Bytes(12)))), JoseError::malformed);
  expect_code(open(with(flattened(), "header", 1)), JoseError::malformed);
  expect_code(open(with(flattened(), "encrypted_key", 1)), JoseError::malformed);
  expect_code(open(with(flattened(), "aad", 1)), JoseError::malformed);
  for (const auto* text : {"", "{}", "[]", "{", "....", "a.b.c.d.e", " "}) {
    expect_code(decrypt(text, key_of(KeyKind::ec_p256), every_algorithm), JoseError::malformed, text);
  }
}

TEST(jwe, encryption_to_a_key_that_does_not_suit_is_refused) {
  const auto encrypt = [](KeyKind kind, KeyManagement algorithm) {
    return encrypt_flattened(as_bytes("x"), key_of(kind).public_key(), algorithm);
  };
  expect_code(encrypt(KeyKind::rsa, KeyManagement::ecdh_es_a256kw), JoseError::bad_key);
  expect_code(encrypt(KeyKind::ec_p256, KeyManagement::rsa_oaep_256), JoseError::bad_key);
  expect_code(encrypt(KeyKind::ed25519, KeyManagement::ecdh_es_a256kw), JoseError::bad_key);
  expect_code(encrypt(KeyKind::ec_p256, KeyManagement::a256kw), JoseError::bad_key);
  expect_code(encrypt_general(as_bytes("x"), {}), JoseError::bad_key);
  const std::array unfit{key_of(KeyKind::ed25519).public_key(), key_of(KeyKind::rsa).public_key()};
  expect_code(encrypt_general(as_bytes("x"), unfit), JoseError::bad_key);
}

TEST(jwe, several_recipients_each_open_the_message) {
  const std::array recipients{key_of(KeyKind::rsa).public_key(), key_of(KeyKind::ec_p256).public_key(),
                              key_of(KeyKind::ec_p521).public_key()};
  const auto jwe = object_of(encrypt_general(as_bytes("secret"), recipients).value());
  EXPECT_EQ(json::serialize(protected_of(jwe)), R"({"enc":"A256GCM"})");
  EXPECT_EQ(*jwe.find("recipients")->at_pointer("/0/header/alg"), json::Value{"RSA-OAEP"});
  EXPECT_EQ(*jwe.find("recipients")->at_pointer("/1/header/alg"), json::Value{"ECDH-ES+A256KW"});
  for (const auto kind : {KeyKind::rsa, KeyKind::ec_p256, KeyKind::ec_p521}) {
    const auto opened = open(jwe, kind);
    ASSERT_TRUE(opened) << to_string(opened.error());
    EXPECT_EQ(as_text(opened->expose()), "secret");
  }
  expect_code(open(jwe, KeyKind::ec_p384), JoseError::decryption_failed);
}

TEST(jwe, one_recipient_of_an_image_gets_the_flattened_form) {
  const std::array recipients{key_of(KeyKind::rsa).public_key()};
  const auto jwe = object_of(encrypt_general(as_bytes("secret"), recipients).value());
  EXPECT_FALSE(jwe.contains("recipients"));
  EXPECT_EQ(json::serialize(protected_of(jwe)), R"({"alg":"RSA-OAEP","enc":"A256GCM"})");
  EXPECT_TRUE(open(jwe, KeyKind::rsa));
}

TEST(jwe, general_messages_of_another_shape_are_malformed) {
  const std::array recipients{key_of(KeyKind::ec_p256).public_key(), key_of(KeyKind::ec_p256).public_key()};
  const auto jwe = object_of(encrypt_general(as_bytes("secret"), recipients).value());
  ASSERT_TRUE(open(jwe));
  expect_code(open(with(jwe, "recipients", json::Array{})), JoseError::malformed);
  expect_code(open(with(jwe, "recipients", json::Array{1})), JoseError::malformed);
  expect_code(open(with(jwe, "recipients", 1)), JoseError::malformed);
  expect_code(open(with(jwe, "recipients", json::Array(65, jwe.find("recipients")->if_array()->front()))),
              JoseError::malformed);
  expect_code(open(with(jwe, "encrypted_key", "AA")), JoseError::malformed);
  expect_code(open(with(jwe, "header", json::Object{})), JoseError::malformed);
}

// A flattened message to a symmetric key.
json::Object symmetric(std::string_view alg, std::string_view enc, ByteView content_key, ByteView encrypted_key) {
  const auto header = b64(json::serialize(json::Object{{"alg", alg}, {"enc", enc}}));
  const auto sealed = crypto::aes_gcm_seal(content_key, Bytes(12), as_bytes(header), as_bytes("secret")).value();
  json::Object jwe{{"protected", header},
                   {"iv", base64url_encode(Bytes(12))},
                   {"ciphertext", base64url_encode(sealed.ciphertext)},
                   {"tag", base64url_encode(sealed.tag)}};
  if (!encrypted_key.empty()) jwe.append("encrypted_key", base64url_encode(encrypted_key));
  return jwe;
}

Result<SecretBytes> open_symmetric(const json::Object& jwe, ByteView key) {
  return decrypt_symmetric(json::serialize(jwe), key, every_algorithm);
}

TEST(jwe, symmetric_keys_wrap_or_are_the_content_key) {
  const auto key = counting(32);
  const Bytes content_key(24, std::byte{7});
  const auto wrapped = crypto::aes_key_wrap(key, content_key).value();
  EXPECT_EQ(as_text(open_symmetric(symmetric("A256KW", "A192GCM", content_key, wrapped), key)->expose()), "secret");
  const auto short_key = counting(16);
  const auto short_wrapped = crypto::aes_key_wrap(short_key, content_key).value();
  EXPECT_TRUE(open_symmetric(symmetric("A128KW", "A192GCM", content_key, short_wrapped), short_key));
  EXPECT_TRUE(open_symmetric(symmetric("dir", "A256GCM", key, {}), key));
}

TEST(jwe, symmetric_keys_of_another_size_fail) {
  const auto key = counting(32);
  const auto wrapped = crypto::aes_key_wrap(key, Bytes(32)).value();
  expect_code(open_symmetric(symmetric("A128KW", "A256GCM", Bytes(32), wrapped), key), JoseError::decryption_failed,
              "size of the key");
  expect_code(open_symmetric(symmetric("A256KW", "A128GCM", Bytes(16), wrapped), key), JoseError::decryption_failed,
              "size of the content key");
  expect_code(open_symmetric(symmetric("dir", "A128GCM", counting(16), {}), key), JoseError::decryption_failed);
  expect_code(open_symmetric(symmetric("dir", "A256GCM", key, wrapped), key), JoseError::decryption_failed,
              "dir with an encrypted key");
  expect_code(decrypt(json::serialize(symmetric("dir", "A256GCM", key, {})), key_of(KeyKind::rsa), every_algorithm),
              JoseError::algorithm_not_allowed);
}

TEST(jwe, names_of_algorithms_read_back) {
  for (const auto algorithm : every_algorithm) EXPECT_EQ(parse_key_management(name_of(algorithm)), algorithm);
  EXPECT_EQ(parse_key_management("RSA-OAEP-512"), std::nullopt);
}

}  // namespace
}  // namespace coffer::codec::jose

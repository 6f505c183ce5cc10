#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include "crypto/detail/algorithms.h"
#include "crypto/detail/key_impl.h"

namespace coffer::crypto {
namespace {

const Bytes message = to_bytes("what was measured");

// PSS with a salt of `salt` bytes, which our own signer never makes.
Bytes sign_pss(const PrivateKey& key, int salt) {
  const detail::DigestContext context{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* parameters = nullptr;
  EVP_DigestSignInit(context.get(), &parameters, EVP_sha256(), nullptr, key.impl().pkey.get());
  EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
  EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt);
  Bytes out(256);
  auto size = out.size();
  EVP_DigestSign(context.get(), detail::data_of(MutableByteView{out}), &size, detail::data_of(message), message.size());
  return out;
}

CryptoError code(const Result<>& result) {
  EXPECT_FALSE(result);
  for (const auto candidate : {CryptoError::bad_key, CryptoError::bad_parameter, CryptoError::bad_signature}) {
    if (!result && result.error().code == candidate) return candidate;
  }
  return CryptoError::internal;
}

TEST(VerifyDigest, agrees_with_verify) {
  const auto ec = PrivateKey::generate(KeyKind::ec_p384).value();
  const auto rsa = PrivateKey::generate(KeyKind::rsa).value();
  const auto check = [](const PrivateKey& key, SignatureAlgorithm algorithm, SignatureScheme scheme,
                        HashAlgorithm algorithm_hash) {
    const auto signature = key.sign(algorithm, message).value();
    auto digest = hash(algorithm_hash, message);
    EXPECT_TRUE(key.public_key().verify_digest(scheme, algorithm_hash, digest, signature));
    digest[0] ^= std::byte{1};
    EXPECT_EQ(code(key.public_key().verify_digest(scheme, algorithm_hash, digest, signature)),
              CryptoError::bad_signature);
  };
  check(ec, SignatureAlgorithm::es384, SignatureScheme::ecdsa, HashAlgorithm::sha384);
  check(rsa, SignatureAlgorithm::rs256, SignatureScheme::rsa_pkcs1, HashAlgorithm::sha256);
  check(rsa, SignatureAlgorithm::ps512, SignatureScheme::rsa_pss, HashAlgorithm::sha512);
  check(rsa, SignatureAlgorithm::ps512, SignatureScheme::rsa_pss_any_salt, HashAlgorithm::sha512);
}

TEST(VerifyDigest, the_longest_salt_is_taken_where_asked_for_alone) {
  const auto key = PrivateKey::generate(KeyKind::rsa).value();
  const auto digest = sha256(message);
  for (const int salt : {0, 20, RSA_PSS_SALTLEN_MAX}) {
    const auto signature = sign_pss(key, salt);
    EXPECT_TRUE(
        key.public_key().verify_digest(SignatureScheme::rsa_pss_any_salt, HashAlgorithm::sha256, digest, signature));
    EXPECT_EQ(code(key.public_key().verify_digest(SignatureScheme::rsa_pss, HashAlgorithm::sha256, digest, signature)),
              CryptoError::bad_signature);
  }
}

TEST(VerifyDigest, schemes_are_not_taken_for_each_other) {
  const auto key = PrivateKey::generate(KeyKind::rsa).value();
  const auto signature = key.sign(SignatureAlgorithm::rs256, message).value();
  const auto digest = sha256(message);
  const auto verify = [&](SignatureScheme scheme) {
    return code(key.public_key().verify_digest(scheme, HashAlgorithm::sha256, digest, signature));
  };
  EXPECT_EQ(verify(SignatureScheme::rsa_pss), CryptoError::bad_signature);
  EXPECT_EQ(verify(SignatureScheme::rsa_pss_any_salt), CryptoError::bad_signature);
  EXPECT_EQ(verify(SignatureScheme::ecdsa), CryptoError::bad_key);
}

TEST(VerifyDigest, an_edwards_key_signs_no_digests) {
  const auto key = PrivateKey::generate(KeyKind::ed25519).value().public_key();
  for (const auto scheme : {SignatureScheme::ecdsa, SignatureScheme::rsa_pkcs1}) {
    EXPECT_EQ(code(key.verify_digest(scheme, HashAlgorithm::sha256, sha256(message), Bytes(64))), CryptoError::bad_key);
  }
}

TEST(VerifyDigest, weak_hashes_and_digests_of_another_length_are_refused) {
  const auto key = PrivateKey::generate(KeyKind::ec_p256).value().public_key();
  for (const auto [algorithm, size] : {std::pair{HashAlgorithm::sha1, 20U},
                                       {HashAlgorithm::sm3, 32U},
                                       {HashAlgorithm::sha256, 31U},
                                       {HashAlgorithm::sha256, 48U}}) {
    EXPECT_EQ(code(key.verify_digest(SignatureScheme::ecdsa, algorithm, Bytes(size), Bytes(64))),
              CryptoError::bad_parameter);
  }
}

TEST(EcNumbers, leading_zeros_come_and_go) {
  const auto key = PrivateKey::generate(KeyKind::ec_p256).value();
  const auto [x, y] = key.public_key().ec_coordinates().value();
  const auto public_key = PublicKey::from_ec_numbers(KeyKind::ec_p256, concat({Bytes(3), x}), y);
  ASSERT_TRUE(public_key);
  EXPECT_EQ(*public_key, key.public_key());
  EXPECT_FALSE(PublicKey::from_ec_numbers(KeyKind::ec_p256, concat({x, Bytes(1)}), y));
  EXPECT_FALSE(PublicKey::from_ec_numbers(KeyKind::ec_p256, {}, y));
  EXPECT_FALSE(PublicKey::from_ec_numbers(KeyKind::rsa, x, y));
}

TEST(EcdsaNumbers, both_byte_orders_and_any_padding_make_the_same_signature) {
  const auto key = PrivateKey::generate(KeyKind::ec_p384).value();
  const auto raw = key.sign(SignatureAlgorithm::es384, message).value();
  const auto r = ByteView{raw}.first(48);
  const auto s = ByteView{raw}.last(48);
  EXPECT_EQ(ecdsa_from_big_endian(KeyKind::ec_p384, concat({Bytes(2), r}), s), raw);
  // 72 bytes each, as in SEV-SNP reports (AMD 56860 section 10).
  auto little_r = Bytes(r.rbegin(), r.rend());
  auto little_s = Bytes(s.rbegin(), s.rend());
  little_r.resize(72);
  little_s.resize(72);
  EXPECT_EQ(ecdsa_from_little_endian(KeyKind::ec_p384, little_r, little_s), raw);
  little_s[60] = std::byte{1};
  EXPECT_EQ(ecdsa_from_little_endian(KeyKind::ec_p384, little_r, little_s).error().code, CryptoError::bad_signature);
  EXPECT_EQ(ecdsa_from_big_endian(KeyKind::rsa, r, s).error().code, CryptoError::bad_key);
}

}  // namespace
}  // namespace coffer::crypto

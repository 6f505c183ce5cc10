#include "crypto/keys.h"

#include <gtest/gtest.h>

#include <thread>

#include "codec/base64.h"

namespace coffer::crypto {
namespace {

constexpr KeyKind all_kinds[] = {KeyKind::ec_p256, KeyKind::ec_p384, KeyKind::ec_p521, KeyKind::rsa, KeyKind::ed25519};
constexpr KeyKind curves[] = {KeyKind::ec_p256, KeyKind::ec_p384, KeyKind::ec_p521};

// One key a kind for all tests: making an RSA key is slow.
const PrivateKey& key_of(KeyKind kind) {
  static const std::vector<PrivateKey> keys = [] {
    std::vector<PrivateKey> made;
    for (const auto each : all_kinds) made.push_back(PrivateKey::generate(each).value());
    return made;
  }();
  return keys[static_cast<std::size_t>(kind)];
}

struct EachKey : testing::TestWithParam<KeyKind> {
  const PrivateKey& key = key_of(GetParam());
};
struct EachCurve : EachKey {};

std::string kind_name(const testing::TestParamInfo<KeyKind>& info) {
  std::string name{name_of(info.param)};
  std::erase(name, '-');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Keys, EachKey, testing::ValuesIn(all_kinds), kind_name);
INSTANTIATE_TEST_SUITE_P(Keys, EachCurve, testing::ValuesIn(curves), kind_name);

TEST_P(EachKey, private_half_survives_pkcs8) {
  const auto pem = key.to_pem_pkcs8();
  EXPECT_TRUE(as_text(pem.expose()).starts_with("-----BEGIN PRIVATE KEY-----\n"));
  const auto again = PrivateKey::from_pem(pem.expose());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->kind(), GetParam());
  EXPECT_EQ(again->public_key(), key.public_key());
}

TEST_P(EachKey, public_half_survives_pem_and_der) {
  const auto half = key.public_key();
  EXPECT_EQ(PublicKey::from_pem(half.to_pem()).value(), half);
  EXPECT_EQ(PublicKey::from_spki_der(half.to_spki_der()).value(), half);
}

TEST_P(EachKey, signs_what_its_public_half_verifies) {
  const auto algorithm = default_algorithm(GetParam());
  const auto signature = key.sign(algorithm, as_bytes("a message"));
  ASSERT_TRUE(signature);
  EXPECT_TRUE(key.public_key().verify(algorithm, as_bytes("a message"), *signature));
  EXPECT_EQ(key.public_key().verify(algorithm, as_bytes("a massage"), *signature).error().code,
            CryptoError::bad_signature);
  for (const std::size_t i : {std::size_t{0}, signature->size() / 2, signature->size() - 1}) {
    auto altered = *signature;
    altered[i] ^= std::byte{1};
    EXPECT_EQ(key.public_key().verify(algorithm, as_bytes("a message"), altered).error().code,
              CryptoError::bad_signature);
  }
  EXPECT_EQ(key.public_key().verify(algorithm, as_bytes("a message"), {}).error().code, CryptoError::bad_signature);
}

TEST_P(EachKey, refuses_algorithms_of_other_kinds) {
  for (const auto other : all_kinds) {
    if (other == GetParam()) continue;
    EXPECT_EQ(key.sign(default_algorithm(other), {}).error().code, CryptoError::bad_key);
    EXPECT_EQ(key.public_key().verify(default_algorithm(other), {}, Bytes(64)).error().code, CryptoError::bad_key);
  }
}

TEST_P(EachKey, trailing_bytes_are_refused) {
  auto der = key.public_key().to_spki_der();
  der.push_back(std::byte{0});
  EXPECT_EQ(PublicKey::from_spki_der(der).error().code, CryptoError::bad_key);
}

TEST_P(EachKey, truncated_keys_are_refused) {
  const auto der = key.public_key().to_spki_der();
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_EQ(PublicKey::from_spki_der(ByteView{der}.first(size)).error().code, CryptoError::bad_key);
  }
}

TEST_P(EachKey, works_from_several_threads) {
  const auto algorithm = default_algorithm(GetParam());
  const auto half = key.public_key();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const auto message = std::to_string(t * 100 + i);
        const auto signature = key.sign(algorithm, as_bytes(message));
        EXPECT_TRUE(signature && half.verify(algorithm, as_bytes(message), *signature));
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_P(EachCurve, survives_its_numbers) {
  const auto point = key.public_key().ec_coordinates();
  const auto scalar = key.scalar();
  ASSERT_TRUE(point && scalar);
  EXPECT_EQ(point->x.size(), coordinate_size(GetParam()));
  EXPECT_EQ(scalar->size(), coordinate_size(GetParam()));
  EXPECT_EQ(PublicKey::from_ec_coordinates(GetParam(), point->x, point->y).value(), key.public_key());
  const auto again = PrivateKey::from_ec_components(GetParam(), scalar->expose(), point->x, point->y);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->scalar().value(), *scalar);
}

TEST_P(EachCurve, scalar_must_belong_to_the_point) {
  const auto other = PrivateKey::generate(GetParam());
  const auto point = key.public_key().ec_coordinates();
  ASSERT_TRUE(other && point);
  const auto mixed = PrivateKey::from_ec_components(GetParam(), other->scalar()->expose(), point->x, point->y);
  EXPECT_EQ(mixed.error().code, CryptoError::bad_key);
}

TEST_P(EachCurve, zero_and_oversized_scalars_are_refused) {
  const auto point = key.public_key().ec_coordinates();
  const auto size = coordinate_size(GetParam());
  for (const auto& scalar : {Bytes(size), Bytes(size, std::byte{0xff}), Bytes(size - 1, std::byte{1})}) {
    EXPECT_EQ(PrivateKey::from_ec_components(GetParam(), scalar, point->x, point->y).error().code,
              CryptoError::bad_key);
  }
}

TEST_P(EachCurve, points_off_the_curve_are_refused) {
  auto point = key.public_key().ec_coordinates().value();
  const auto size = coordinate_size(GetParam());
  auto off = point.y;
  off.back() ^= std::byte{1};
  EXPECT_EQ(PublicKey::from_ec_coordinates(GetParam(), point.x, off).error().code, CryptoError::bad_key);
  EXPECT_EQ(PublicKey::from_ec_coordinates(GetParam(), Bytes(size), Bytes(size)).error().code, CryptoError::bad_key);
  EXPECT_EQ(PublicKey::from_ec_coordinates(GetParam(), Bytes(size, std::byte{0xff}), point.y).error().code,
            CryptoError::bad_key);
  EXPECT_EQ(PublicKey::from_ec_coordinates(GetParam(), ByteView{point.x}.subspan(1), point.y).error().code,
            CryptoError::bad_key);
}

TEST_P(EachCurve, both_sides_of_ecdh_agree) {
  const auto other = PrivateKey::generate(GetParam());
  ASSERT_TRUE(other);
  const auto here = key.ecdh(other->public_key());
  const auto there = other->ecdh(key.public_key());
  ASSERT_TRUE(here && there);
  EXPECT_EQ(here->size(), coordinate_size(GetParam()));
  EXPECT_EQ(*here, *there);
}

TEST_P(EachCurve, ecdh_needs_one_curve) {
  for (const auto other : all_kinds) {
    if (other == GetParam()) continue;
    EXPECT_EQ(key.ecdh(key_of(other).public_key()).error().code, CryptoError::bad_key);
  }
}

TEST(Keys, rsa_survives_its_numbers_and_pkcs1) {
  const auto& key = key_of(KeyKind::rsa);
  const auto numbers = key.public_key().rsa_components();
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->modulus.size(), 256U);
  EXPECT_EQ(codec::hex_encode(numbers->exponent), "010001");
  EXPECT_EQ(PublicKey::from_rsa_components(numbers->modulus, numbers->exponent).value(), key.public_key());
  const auto pkcs1 = key.to_pem_pkcs1();
  ASSERT_TRUE(pkcs1);
  EXPECT_TRUE(as_text(pkcs1->expose()).starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
  EXPECT_EQ(PrivateKey::from_pem(pkcs1->expose())->public_key(), key.public_key());
}

TEST(Keys, every_rsa_algorithm_verifies_only_as_itself) {
  using enum SignatureAlgorithm;
  const auto& key = key_of(KeyKind::rsa);
  for (const auto signing : {rs256, rs384, rs512, ps256, ps384, ps512}) {
    const auto signature = key.sign(signing, as_bytes("m"));
    ASSERT_TRUE(signature);
    for (const auto verifying : {rs256, rs384, rs512, ps256, ps384, ps512}) {
      EXPECT_EQ(key.public_key().verify(verifying, as_bytes("m"), *signature).has_value(), signing == verifying);
    }
  }
}

TEST(Keys, rsa_encryption_opens_with_the_same_padding_alone) {
  const auto& key = key_of(KeyKind::rsa);
  const auto half = key.public_key();
  const auto secret = as_bytes("a content key");
  const auto oaep1 = half.encrypt_oaep(HashAlgorithm::sha1, secret);
  const auto oaep256 = half.encrypt_oaep(HashAlgorithm::sha256, secret);
  const auto pkcs1 = half.encrypt_pkcs1v15(secret);
  ASSERT_TRUE(oaep1 && oaep256 && pkcs1);
  EXPECT_TRUE(equal(key.decrypt_oaep(HashAlgorithm::sha1, *oaep1)->expose(), secret));
  EXPECT_TRUE(equal(key.decrypt_oaep(HashAlgorithm::sha256, *oaep256)->expose(), secret));
  EXPECT_TRUE(equal(key.decrypt_pkcs1v15(*pkcs1)->expose(), secret));
  EXPECT_EQ(key.decrypt_oaep(HashAlgorithm::sha256, *oaep1).error().code, CryptoError::bad_tag);
  EXPECT_EQ(key.decrypt_oaep(HashAlgorithm::sha1, Bytes(256)).error().code, CryptoError::bad_tag);
  EXPECT_EQ(key.decrypt_pkcs1v15(Bytes(255)).error().code, CryptoError::bad_tag);
}

TEST(Keys, rsa_encryption_has_limits) {
  const auto half = key_of(KeyKind::rsa).public_key();
  EXPECT_EQ(half.encrypt_oaep(HashAlgorithm::sha256, Bytes(191)).error().code, CryptoError::bad_parameter);
  EXPECT_EQ(half.encrypt_oaep(HashAlgorithm::sha512, {}).error().code, CryptoError::unsupported);
  EXPECT_EQ(key_of(KeyKind::ec_p256).public_key().encrypt_pkcs1v15({}).error().code, CryptoError::bad_key);
  EXPECT_EQ(key_of(KeyKind::ed25519).decrypt_pkcs1v15({}).error().code, CryptoError::bad_key);
}

TEST(Keys, small_and_strange_rsa_keys_are_refused) {
  EXPECT_EQ(PrivateKey::generate(KeyKind::rsa, 1024).error().code, CryptoError::bad_parameter);
  auto [n, e] = key_of(KeyKind::rsa).public_key().rsa_components().value();
  EXPECT_EQ(PublicKey::from_rsa_components(ByteView{n}.last(128), e).error().code, CryptoError::bad_key);
  EXPECT_EQ(PublicKey::from_rsa_components(n, Bytes{std::byte{1}}).error().code, CryptoError::bad_key);
  EXPECT_EQ(PublicKey::from_rsa_components(n, Bytes{std::byte{4}}).error().code, CryptoError::bad_key);
  EXPECT_EQ(PublicKey::from_rsa_components(n, Bytes(9, std::byte{3})).error().code, CryptoError::bad_key);
  EXPECT_EQ(PublicKey::from_rsa_components(n, {}).error().code, CryptoError::bad_key);
  EXPECT_EQ(PublicKey::from_rsa_components({}, e).error().code, CryptoError::bad_key);
  EXPECT_EQ(PublicKey::from_rsa_components(Bytes(1025, std::byte{0xff}), e).error().code, CryptoError::bad_key);
  n.back() ^= std::byte{1};
  EXPECT_EQ(PublicKey::from_rsa_components(n, e).error().code, CryptoError::bad_key);
}

TEST(Keys, rsa_private_numbers_are_all_needed) {
  const Bytes one{std::byte{1}};
  PrivateKey::RsaPrivateComponents numbers{one, one, one, one, one, one, one, {}};
  EXPECT_EQ(PrivateKey::from_rsa_components(numbers).error().code, CryptoError::bad_key);
}

TEST(Keys, ed25519_from_seed_is_rfc_8032_test_1) {
  const auto seed = codec::hex_decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").value();
  const auto key = PrivateKey::from_ed25519_seed(seed);
  ASSERT_TRUE(key);
  EXPECT_EQ(codec::hex_encode(key->public_key().ec_coordinates()->x),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(codec::hex_encode(key->sign(SignatureAlgorithm::eddsa, {}).value()),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f059"
            "5bbe24655141438e7a100b");
  EXPECT_TRUE(equal(key->scalar()->expose(), seed));
  EXPECT_EQ(PrivateKey::from_ed25519_seed(ByteView{seed}.first(31)).error().code, CryptoError::bad_key);
  EXPECT_EQ(PublicKey::from_ed25519(ByteView{seed}.first(31)).error().code, CryptoError::bad_key);
}

TEST(Keys, questions_to_the_wrong_kind_are_errors) {
  const auto& rsa = key_of(KeyKind::rsa);
  const auto& ec = key_of(KeyKind::ec_p256);
  EXPECT_EQ(rsa.scalar().error().code, CryptoError::bad_key);
  EXPECT_EQ(rsa.public_key().ec_coordinates().error().code, CryptoError::bad_key);
  EXPECT_EQ(ec.public_key().rsa_components().error().code, CryptoError::bad_key);
  EXPECT_EQ(ec.to_pem_pkcs1().error().code, CryptoError::bad_key);
  EXPECT_EQ(PublicKey::from_ec_coordinates(KeyKind::rsa, {}, {}).error().code, CryptoError::bad_key);
  EXPECT_EQ(PrivateKey::from_ec_components(KeyKind::ed25519, {}, {}, {}).error().code, CryptoError::bad_key);
  EXPECT_FALSE(rsa.public_key() == ec.public_key());
}

// Its signatures are made without a private key: r is the x coordinate of any multiple of the base point.
TEST(EcKeys, the_point_at_infinity_is_no_public_key) {
  auto spki = PrivateKey::generate(KeyKind::ec_p256)->public_key().to_spki_der();
  ASSERT_EQ(spki.size(), 91U);
  spki.resize(27);  // SEQUENCE { AlgorithmIdentifier, BIT STRING { 00 } }
  spki[1] = std::byte{25};
  spki[24] = std::byte{2};  // length of the BIT STRING, after its tag
  spki[25] = std::byte{0};  // unused bits
  spki[26] = std::byte{0};  // SEC 1 section 2.3.3: infinity
  const auto key = PublicKey::from_spki_der(spki);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, CryptoError::bad_key);
  EXPECT_NE(key.error().message.find("point"), std::string::npos) << key.error().message;
}

}  // namespace
}  // namespace coffer::crypto

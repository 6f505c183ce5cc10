#include "crypto/aead.h"

#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::crypto {
namespace {

struct AesGcm : testing::TestWithParam<std::size_t> {
  Bytes key = Bytes(GetParam(), std::byte{7});
  Bytes iv = Bytes(12, std::byte{1});
  Bytes aad = to_bytes("header");
  Bytes plaintext = to_bytes("what is sealed");
};

TEST_P(AesGcm, opens_what_it_sealed) {
  const auto sealed = aes_gcm_seal(key, iv, aad, plaintext);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->ciphertext.size(), plaintext.size());
  EXPECT_EQ(sealed->tag.size(), gcm_tag_size);
  const auto opened = aes_gcm_open(key, iv, aad, sealed->ciphertext, sealed->tag);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(equal(opened->expose(), plaintext));
}

TEST_P(AesGcm, joined_form_is_the_ciphertext_and_then_the_tag) {
  const auto sealed = aes_gcm_seal(key, iv, aad, plaintext);
  const auto joined = aes_gcm_seal_joined(key, iv, aad, plaintext);
  ASSERT_TRUE(sealed && joined);
  EXPECT_EQ(*joined, concat({sealed->ciphertext, sealed->tag}));
  EXPECT_TRUE(equal(aes_gcm_open_joined(key, iv, aad, *joined)->expose(), plaintext));
}

TEST_P(AesGcm, each_altered_input_is_a_bad_tag) {
  const auto sealed = aes_gcm_seal(key, iv, aad, plaintext);
  ASSERT_TRUE(sealed);
  const auto altered = [](Bytes bytes) {
    bytes[0] ^= std::byte{1};
    return bytes;
  };
  const auto& [text, tag] = *sealed;
  EXPECT_EQ(aes_gcm_open(altered(key), iv, aad, text, tag).error().code, CryptoError::bad_tag);
  EXPECT_EQ(aes_gcm_open(key, altered(iv), aad, text, tag).error().code, CryptoError::bad_tag);
  EXPECT_EQ(aes_gcm_open(key, iv, altered(aad), text, tag).error().code, CryptoError::bad_tag);
  EXPECT_EQ(aes_gcm_open(key, iv, aad, altered(text), tag).error().code, CryptoError::bad_tag);
  EXPECT_EQ(aes_gcm_open(key, iv, aad, text, altered(tag)).error().code, CryptoError::bad_tag);
  EXPECT_EQ(aes_gcm_open(key, iv, aad, ByteView{text}.first(3), tag).error().code, CryptoError::bad_tag);
}

TEST_P(AesGcm, short_tags_are_refused_although_they_match) {
  const auto sealed = aes_gcm_seal(key, iv, aad, plaintext);
  ASSERT_TRUE(sealed);
  for (const std::size_t size : {0, 4, 12, 15}) {
    EXPECT_EQ(aes_gcm_open(key, iv, aad, sealed->ciphertext, ByteView{sealed->tag}.first(size)).error().code,
              CryptoError::bad_tag);
  }
  EXPECT_EQ(aes_gcm_open_joined(key, iv, aad, Bytes(15)).error().code, CryptoError::bad_tag);
}

INSTANTIATE_TEST_SUITE_P(KeySizes, AesGcm, testing::Values(16, 24, 32));

TEST(AesGcmKnown, mcgrew_and_viega_test_case_2) {
  const auto sealed = aes_gcm_seal(Bytes(16), Bytes(12), {}, Bytes(16));
  ASSERT_TRUE(sealed);
  EXPECT_EQ(codec::hex_encode(sealed->ciphertext), "0388dace60b6a392f328c2b971b2fe78");
  EXPECT_EQ(codec::hex_encode(sealed->tag), "ab6e47d42cec13bdf53a67b21257bddf");
}

TEST(AesGcmKnown, empty_plaintext_still_has_a_tag) {
  const auto sealed = aes_gcm_seal_joined(Bytes(32), Bytes(12), as_bytes("aad"), {});
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->size(), gcm_tag_size);
  EXPECT_TRUE(aes_gcm_open_joined(Bytes(32), Bytes(12), as_bytes("aad"), *sealed)->empty());
}

TEST(AesGcmSizes, keys_of_other_sizes_are_refused) {
  for (const std::size_t size : {0, 15, 17, 31, 33, 64}) {
    EXPECT_EQ(aes_gcm_seal(Bytes(size), Bytes(12), {}, {}).error().code, CryptoError::bad_key);
    EXPECT_EQ(aes_gcm_open(Bytes(size), Bytes(12), {}, {}, Bytes(16)).error().code, CryptoError::bad_key);
  }
}

TEST(AesGcmSizes, sealing_takes_ivs_of_12_bytes_alone) {
  for (const std::size_t size : {0, 8, 11, 13, 16}) {
    EXPECT_EQ(aes_gcm_seal(Bytes(32), Bytes(size), {}, {}).error().code, CryptoError::bad_parameter);
  }
  EXPECT_EQ(aes_gcm_open(Bytes(32), {}, {}, {}, Bytes(16)).error().code, CryptoError::bad_parameter);
  EXPECT_EQ(aes_gcm_open(Bytes(32), Bytes(65), {}, {}, Bytes(16)).error().code, CryptoError::bad_parameter);
  EXPECT_EQ(aes_gcm_open(Bytes(32), Bytes(64), {}, {}, Bytes(16)).error().code, CryptoError::bad_tag);
}

struct ChaCha20Poly1305 : testing::Test {
  // RFC 8439 section 2.8.2.
  Bytes key = *codec::hex_decode("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  Bytes nonce = *codec::hex_decode("070000004041424344454647");
  Bytes aad = *codec::hex_decode("50515253c0c1c2c3c4c5c6c7");
  Bytes plaintext = to_bytes(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
      "it.");
};

TEST_F(ChaCha20Poly1305, seals_the_example_of_rfc_8439) {
  const auto sealed = chacha20_poly1305_seal_joined(key, nonce, aad, plaintext);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(
      codec::hex_encode(*sealed),
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e06"
      "0b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d265"
      "86cec64b61161ae10b594f09e26a7e902ecbd0600691");
  const auto opened = chacha20_poly1305_open_joined(key, nonce, aad, *sealed);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(equal(opened->expose(), plaintext));
}

TEST_F(ChaCha20Poly1305, each_altered_input_is_a_bad_tag) {
  const auto sealed = *chacha20_poly1305_seal_joined(key, nonce, aad, plaintext);
  const auto altered = [](Bytes bytes) {
    bytes[0] ^= std::byte{1};
    return bytes;
  };
  const auto code = [](const auto& result) { return result.error().code; };
  EXPECT_EQ(code(chacha20_poly1305_open_joined(altered(key), nonce, aad, sealed)), CryptoError::bad_tag);
  EXPECT_EQ(code(chacha20_poly1305_open_joined(key, altered(nonce), aad, sealed)), CryptoError::bad_tag);
  EXPECT_EQ(code(chacha20_poly1305_open_joined(key, nonce, altered(aad), sealed)), CryptoError::bad_tag);
  EXPECT_EQ(code(chacha20_poly1305_open_joined(key, nonce, aad, altered(sealed))), CryptoError::bad_tag);
  EXPECT_EQ(code(chacha20_poly1305_open_joined(key, nonce, aad, ByteView{sealed}.first(15))), CryptoError::bad_tag);
}

TEST_F(ChaCha20Poly1305, keys_and_nonces_of_other_sizes_are_refused) {
  const auto code = [](const auto& result) { return result.error().code; };
  EXPECT_EQ(code(chacha20_poly1305_seal_joined(ByteView{key}.first(31), nonce, aad, plaintext)), CryptoError::bad_key);
  EXPECT_EQ(code(chacha20_poly1305_seal_joined(key, ByteView{nonce}.first(11), aad, plaintext)),
            CryptoError::bad_parameter);
  EXPECT_EQ(code(chacha20_poly1305_open_joined(key, {}, aad, plaintext)), CryptoError::bad_parameter);
}

}  // namespace
}  // namespace coffer::crypto

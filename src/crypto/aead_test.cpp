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

}  // namespace
}  // namespace coffer::crypto

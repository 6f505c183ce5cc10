#include "crypto/key_wrap.h"

#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::crypto {
namespace {

Bytes unhex(std::string_view text) {
  return codec::hex_decode(text).value();
}

TEST(AesKeyWrap, rfc_3394_section_4_6) {
  const auto kek = unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const auto key = unhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
  const auto wrapped = aes_key_wrap(kek, key);
  ASSERT_TRUE(wrapped);
  EXPECT_EQ(codec::hex_encode(*wrapped),
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
  const auto unwrapped = aes_key_unwrap(kek, *wrapped);
  ASSERT_TRUE(unwrapped);
  EXPECT_TRUE(equal(unwrapped->expose(), key));
}

TEST(AesKeyWrap, every_altered_byte_is_found) {
  const Bytes kek(32, std::byte{1}), key(32, std::byte{2});
  const auto wrapped = aes_key_wrap(kek, key);
  ASSERT_TRUE(wrapped);
  for (std::size_t i = 0; i < wrapped->size(); ++i) {
    auto altered = *wrapped;
    altered[i] ^= std::byte{0x80};
    EXPECT_EQ(aes_key_unwrap(kek, altered).error().code, CryptoError::bad_tag) << i;
  }
  EXPECT_EQ(aes_key_unwrap(Bytes(32, std::byte{3}), *wrapped).error().code, CryptoError::bad_tag);
}

TEST(AesKeyWrap, wrong_sizes_are_refused) {
  EXPECT_EQ(aes_key_wrap(Bytes(20), Bytes(32)).error().code, CryptoError::bad_key);
  EXPECT_EQ(aes_key_unwrap(Bytes(20), Bytes(40)).error().code, CryptoError::bad_key);
  for (const std::size_t size : {0, 8, 15, 17, 31}) {
    EXPECT_EQ(aes_key_wrap(Bytes(32), Bytes(size)).error().code, CryptoError::bad_parameter);
    EXPECT_EQ(aes_key_unwrap(Bytes(32), Bytes(size)).error().code, CryptoError::bad_parameter);
  }
  EXPECT_EQ(aes_key_unwrap(Bytes(32), Bytes(16)).error().code, CryptoError::bad_parameter);
}

}  // namespace
}  // namespace coffer::crypto

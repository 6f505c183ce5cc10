#include "crypto/cipher.h"

#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::crypto {
namespace {

Bytes unhex(std::string_view text) {
  return codec::hex_decode(text).value();
}

// NIST SP 800-38A, F.5.5.
struct AesCtrVector : testing::Test {
  Bytes key = unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  Bytes counter = unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  Bytes plaintext = unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
  Bytes ciphertext = unhex("601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5");
};

TEST_F(AesCtrVector, whole) {
  auto cipher = AesCtr::create(key, counter);
  ASSERT_TRUE(cipher);
  Bytes out(plaintext.size());
  cipher->apply(plaintext, out);
  EXPECT_EQ(out, ciphertext);
}

TEST_F(AesCtrVector, in_place_and_in_parts_of_any_size) {
  for (std::size_t step = 1; step <= plaintext.size(); ++step) {
    auto cipher = AesCtr::create(key, counter);
    ASSERT_TRUE(cipher);
    auto buffer = plaintext;
    for (MutableByteView rest{buffer}; !rest.empty();) {
      const auto part = rest.first(std::min(step, rest.size()));
      cipher->apply(part, part);
      rest = rest.subspan(part.size());
    }
    EXPECT_EQ(buffer, ciphertext) << step;
  }
}

TEST(AesCtr, the_counter_wraps_over_all_128_bits) {
  const Bytes key(32, std::byte{9});
  auto wrapping = AesCtr::create(key, Bytes(16, std::byte{0xff}));
  auto from_zero = AesCtr::create(key, Bytes(16));
  ASSERT_TRUE(wrapping && from_zero);
  Bytes two_blocks(32), one_block(16);
  wrapping->apply(two_blocks, two_blocks);
  from_zero->apply(one_block, one_block);
  EXPECT_TRUE(equal(ByteView{two_blocks}.last(16), one_block));
}

TEST(AesCtr, wrong_sizes_are_refused) {
  EXPECT_EQ(AesCtr::create(Bytes(16), Bytes(16)).error().code, CryptoError::bad_key);
  EXPECT_EQ(AesCtr::create(Bytes(33), Bytes(16)).error().code, CryptoError::bad_key);
  EXPECT_EQ(AesCtr::create(Bytes(32), Bytes(12)).error().code, CryptoError::bad_parameter);
}

}  // namespace
}  // namespace coffer::crypto

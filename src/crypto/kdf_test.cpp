#include "crypto/kdf.h"

#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::crypto {
namespace {

Bytes unhex(std::string_view text) {
  return codec::hex_decode(text).value();
}

TEST(Hkdf, rfc_5869_test_case_1) {
  const auto derived = hkdf(HashAlgorithm::sha256, Bytes(22, std::byte{0x0b}), unhex("000102030405060708090a0b0c"),
                            unhex("f0f1f2f3f4f5f6f7f8f9"), 42);
  ASSERT_TRUE(derived);
  EXPECT_EQ(codec::hex_encode(derived->expose()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(Hkdf, length_is_between_1_and_255_digests) {
  const auto secret = as_bytes("secret");
  EXPECT_EQ(hkdf(HashAlgorithm::sha256, secret, {}, {}, 0).error().code, CryptoError::bad_parameter);
  EXPECT_EQ(hkdf(HashAlgorithm::sha256, secret, {}, {}, 255 * 32 + 1).error().code, CryptoError::bad_parameter);
  EXPECT_EQ(hkdf(HashAlgorithm::sha256, secret, {}, {}, 255 * 32)->size(), 255U * 32);
}

TEST(ConcatKdf, rfc_7518_appendix_c) {
  const auto shared = unhex("9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4");
  const auto other_info = unhex("000000074131323847434d00000005416c69636500000003426f6200000080");
  const auto derived = concat_kdf_sha256(shared, other_info, 16);
  ASSERT_TRUE(derived);
  EXPECT_EQ(codec::hex_encode(derived->expose()), "56aa8deaf8236d205c2228cd71a7101a");
}

TEST(ConcatKdf, longer_outputs_continue_shorter_ones) {
  const auto shared = as_bytes("a shared secret");
  const auto shorter = concat_kdf_sha256(shared, {}, 32);
  const auto longer = concat_kdf_sha256(shared, {}, 70);
  ASSERT_TRUE(shorter && longer);
  EXPECT_TRUE(equal(longer->expose().first(32), shorter->expose()));
  EXPECT_FALSE(equal(longer->expose().subspan(32, 32), shorter->expose()));
}

TEST(ConcatKdf, no_secret_and_lengths_out_of_range_are_refused) {
  EXPECT_EQ(concat_kdf_sha256({}, {}, 16).error().code, CryptoError::bad_parameter);
  EXPECT_EQ(concat_kdf_sha256(as_bytes("z"), {}, 0).error().code, CryptoError::bad_parameter);
  EXPECT_EQ(concat_kdf_sha256(as_bytes("z"), {}, 1025).error().code, CryptoError::bad_parameter);
}

}  // namespace
}  // namespace coffer::crypto

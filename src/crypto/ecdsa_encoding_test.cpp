#include <gtest/gtest.h>

#include "codec/base64.h"
#include "crypto/keys.h"

namespace coffer::crypto {
namespace {

Bytes unhex(std::string_view text) {
  return codec::hex_decode(text).value();
}

// r = 1, s = 0x80: the smallest numbers that show both padding and the sign byte.
constexpr std::string_view small_der = "300702010102020080";

Bytes small_raw(std::size_t size) {
  Bytes raw(2 * size);
  raw[size - 1] = std::byte{1};
  raw[2 * size - 1] = std::byte{0x80};
  return raw;
}

TEST(EcdsaEncoding, pads_and_strips) {
  for (const auto curve : {KeyKind::ec_p256, KeyKind::ec_p384, KeyKind::ec_p521}) {
    const auto raw = small_raw(coordinate_size(curve));
    EXPECT_EQ(ecdsa_from_der(curve, unhex(small_der)).value(), raw);
    EXPECT_EQ(codec::hex_encode(ecdsa_to_der(curve, raw).value()), small_der);
  }
}

TEST(EcdsaEncoding, p521_needs_the_long_form_of_lengths) {
  Bytes raw(132, std::byte{0x11});
  raw[0] = raw[66] = std::byte{1};
  const auto der = ecdsa_to_der(KeyKind::ec_p521, raw);
  ASSERT_TRUE(der);
  EXPECT_EQ((*der)[1], std::byte{0x81});
  EXPECT_EQ(ecdsa_from_der(KeyKind::ec_p521, *der).value(), raw);
}

struct BadDer {
  const char* why;
  std::string_view hex;
};

class EcdsaDer : public testing::TestWithParam<BadDer> {};

TEST_P(EcdsaDer, is_refused) {
  const auto raw = ecdsa_from_der(KeyKind::ec_p256, unhex(GetParam().hex));
  ASSERT_FALSE(raw) << GetParam().why;
  EXPECT_EQ(raw.error().code, CryptoError::bad_signature);
}

INSTANTIATE_TEST_SUITE_P(
    Wrong, EcdsaDer,
    testing::Values(BadDer{"empty", ""}, BadDer{"truncated", "3007020101020200"},
                    BadDer{"trailing bytes", "30070201010202008000"},
                    BadDer{"a third integer",
                           "300a020101020200800201"
                           "01"},
                    BadDer{"one integer", "3003020101"}, BadDer{"not a sequence", "310702010102020080"},
                    BadDer{"not an integer", "300704010102020080"}, BadDer{"negative", "3006020101020180"},
                    BadDer{"superfluous zero", "30080202000102020080"}, BadDer{"zero", "300702010002020080"},
                    BadDer{"empty integer", "3006020002020080"}, BadDer{"indefinite length", "3080020101020200800000"},
                    BadDer{"long form where short would do", "30810702010102020080"},
                    BadDer{"over two length octets", "3082000702010102020080"},
                    BadDer{"larger than the order",
                           "3026020101022101000000000000000000000000000000000000000000000000000000000000000000"}));

TEST(EcdsaEncoding, raw_signatures_of_other_sizes_and_zeros_are_refused) {
  EXPECT_EQ(ecdsa_to_der(KeyKind::ec_p256, Bytes(63, std::byte{1})).error().code, CryptoError::bad_signature);
  EXPECT_EQ(ecdsa_to_der(KeyKind::ec_p256, Bytes(65, std::byte{1})).error().code, CryptoError::bad_signature);
  EXPECT_EQ(ecdsa_to_der(KeyKind::ec_p256, Bytes(64)).error().code, CryptoError::bad_signature);
}

TEST(EcdsaEncoding, other_kinds_of_keys_have_none) {
  EXPECT_EQ(ecdsa_from_der(KeyKind::rsa, unhex(small_der)).error().code, CryptoError::bad_key);
  EXPECT_EQ(ecdsa_to_der(KeyKind::ed25519, Bytes(64, std::byte{1})).error().code, CryptoError::bad_key);
}

}  // namespace
}  // namespace coffer::crypto

#include "codec/base64.h"

#include <gtest/gtest.h>

#include <array>

namespace coffer::codec {
namespace {

struct Example {
  std::string_view plain;
  std::string_view encoded;
};

// RFC 4648 section 10.
constexpr std::array examples{
    Example{"", ""},
    Example{"f", "Zg=="},
    Example{"fo", "Zm8="},
    Example{"foo", "Zm9v"},
    Example{"foob", "Zm9vYg=="},
    Example{"fooba", "Zm9vYmE="},
    Example{"foobar", "Zm9vYmFy"},
};

std::string without_pads(std::string_view text) {
  return std::string{text.substr(0, text.find('='))};
}

template <class T>
void expect_code(const Result<T>& result, TextError code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << result.error().message;
}

TEST(base64, examples_of_the_rfc_round_trip_in_every_flavour) {
  for (const auto& [plain, encoded] : examples) {
    EXPECT_EQ(base64_encode(as_bytes(plain)), encoded);
    EXPECT_EQ(base64url_encode(as_bytes(plain)), without_pads(encoded));
    EXPECT_EQ(base64url_encode_padded(as_bytes(plain)), encoded);
    EXPECT_EQ(as_text(base64_decode(encoded).value()), plain);
    EXPECT_EQ(as_text(base64url_decode(without_pads(encoded)).value()), plain);
    EXPECT_EQ(as_text(base64_decode_lenient(encoded).value()), plain);
    EXPECT_EQ(as_text(base64_decode_lenient(without_pads(encoded)).value()), plain);
    EXPECT_EQ(as_text(base64_decode_secret(as_bytes(encoded)).value().expose()), plain);
    EXPECT_EQ(as_text(base64url_decode_secret(as_bytes(without_pads(encoded))).value().expose()), plain);
  }
}

TEST(base64, alphabets_differ_in_two_symbols) {
  const Bytes data{std::byte{0xfb}, std::byte{0xef}, std::byte{0xff}};
  EXPECT_EQ(base64_encode(data), "++//");
  EXPECT_EQ(base64url_encode(data), "--__");
  EXPECT_EQ(base64_decode("++//").value(), data);
  EXPECT_EQ(base64url_decode("--__").value(), data);
  EXPECT_EQ(base64_decode_lenient("+-/_").value(), data);
  expect_code(base64_decode("--__"), TextError::bad_base64);
  expect_code(base64url_decode("++//"), TextError::bad_base64);
}

TEST(base64, every_byte_survives) {
  Bytes data;
  for (int i = 0; i < 256; ++i) data.push_back(static_cast<std::byte>(i));
  for (std::size_t size = 0; size <= data.size(); ++size) {
    const auto part = ByteView{data}.first(size);
    EXPECT_EQ(base64_decode(base64_encode(part)).value(), to_bytes(part));
    EXPECT_EQ(base64url_decode(base64url_encode(part)).value(), to_bytes(part));
  }
}

TEST(base64, padding_must_be_what_the_flavour_says) {
  expect_code(base64_decode("Zg"), TextError::bad_base64);
  expect_code(base64_decode("Zg="), TextError::bad_base64);
  expect_code(base64_decode("Zg==="), TextError::bad_base64);
  expect_code(base64_decode("Zm9v===="), TextError::bad_base64);
  expect_code(base64_decode("===="), TextError::bad_base64);
  expect_code(base64_decode("Zg==Zg=="), TextError::bad_base64);
  expect_code(base64url_decode("Zg=="), TextError::bad_base64);
  expect_code(base64_decode_lenient("Zg="), TextError::bad_base64);
}

TEST(base64, a_single_left_over_symbol_is_refused) {
  expect_code(base64url_decode("Z"), TextError::bad_base64);
  expect_code(base64_decode_lenient("Zm9vZ"), TextError::bad_base64);
}

TEST(base64, white_space_and_other_characters_are_refused) {
  for (const auto* text : {"Zm 9", "Zm9v\n", "\nZm9v", "Zm9!", "Zm\xc3\xa9", "Zm9\x80"}) {
    EXPECT_FALSE(base64_decode(text)) << text;
    EXPECT_FALSE(base64url_decode(text)) << text;
    EXPECT_FALSE(base64_decode_lenient(text)) << text;
    EXPECT_FALSE(base64_decode_secret(as_bytes(text))) << text;
  }
  expect_code(base64_decode(std::string_view{"Zm\0v", 4}), TextError::bad_base64);
}

TEST(base64, stray_bits_in_the_last_symbol_are_refused) {
  expect_code(base64_decode("Zh=="), TextError::bad_base64);
  expect_code(base64_decode("Zm9="), TextError::bad_base64);
  expect_code(base64url_decode("Zh"), TextError::bad_base64);
  expect_code(base64url_decode_secret(as_bytes("Zh")), TextError::bad_base64);
}

TEST(base64, errors_name_the_place_and_never_the_text) {
  const auto error = base64_decode("c2Vj!mV0").error();
  EXPECT_NE(error.message.find("offset 4"), std::string::npos) << error.message;
  EXPECT_EQ(error.message.find("c2Vj"), std::string::npos) << error.message;
  EXPECT_EQ(error.code.name(), "text.bad_base64");
}

TEST(hex, round_trip_in_lower_case) {
  EXPECT_EQ(hex_encode(as_bytes("\x01\xab\xff")), "01abff");
  EXPECT_EQ(as_text(hex_decode("01abff").value()), "\x01\xab\xff");
  EXPECT_EQ(as_text(hex_decode("01ABfF").value()), "\x01\xab\xff");
  EXPECT_EQ(as_text(hex_decode_secret(as_bytes("01ABfF")).value().expose()), "\x01\xab\xff");
  EXPECT_TRUE(hex_decode("").value().empty());
}

TEST(hex, odd_length_and_other_characters_are_refused) {
  for (const auto* text : {"1", "123", "0g", "g0", " 0", "0 ", "0x", "/0", ":0", "@0", "`0"}) {
    expect_code(hex_decode(text), TextError::bad_hex);
    expect_code(hex_decode_secret(as_bytes(text)), TextError::bad_hex);
  }
}

}  // namespace
}  // namespace coffer::codec

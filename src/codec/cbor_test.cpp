#include "codec/cbor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "codec/base64.h"
#include "codec/json.h"
#include "testing/vector_tally.h"
#include "testing/vectors.h"

namespace coffer::codec::cbor {
namespace {

Bytes hex(std::string_view text) {
  return hex_decode(text).value();
}

Value parsed(std::string_view text) {
  auto value = parse(hex(text));
  EXPECT_TRUE(value) << text << ": " << (value ? "" : value.error().message);
  return value ? *std::move(value) : Value{};
}

void expect_refused(std::string_view text, CborError code, const Limits& limits = {}) {
  const auto value = parse(hex(text), limits);
  ASSERT_FALSE(value) << text;
  EXPECT_EQ(value.error().code, code) << text << ": " << to_string(value.error());
}

double magnitude(ByteView big_endian) {
  double number = 0;
  for (const auto byte : big_endian) number = number * 256 + std::to_integer<int>(byte);
  return number;
}

// Numbers that no integer type holds: floats, large negatives, bignums (RFC 8949 section 3.4.3).
std::optional<double> as_double(const Value& value) {
  if (const auto* number = std::get_if<double>(&value.data())) return *number;
  if (const auto* negative = std::get_if<Negative>(&value.data())) return -1.0 - static_cast<double>(negative->n);
  const auto* tagged = value.if_tagged();
  if (tagged == nullptr || tagged->content.if_bytes() == nullptr) return std::nullopt;
  const auto number = magnitude(*tagged->content.if_bytes());
  return tagged->tag == 2 ? number : -1.0 - number;
}

// What the vectors' "decoded" member says about a value, with JSON's idea of numbers.
void expect_same(const Value& value, const json::Value& expected) {
  if (const auto* text = expected.if_string()) {
    ASSERT_NE(value.if_text(), nullptr);
    EXPECT_EQ(*value.if_text(), *text);
  } else if (const auto* array = expected.if_array()) {
    ASSERT_NE(value.if_array(), nullptr);
    ASSERT_EQ(value.if_array()->size(), array->size());
    for (std::size_t i = 0; i < array->size(); ++i) expect_same(value.if_array()->at(i), array->at(i));
  } else if (const auto* object = expected.if_object()) {
    ASSERT_NE(value.if_map(), nullptr);
    ASSERT_EQ(value.if_map()->size(), object->size());
    for (const auto& [key, member] : *object) {
      ASSERT_NE(value.find(std::string_view{key}), nullptr) << key;
      expect_same(*value.find(std::string_view{key}), member);
    }
  } else if (const auto* truth = expected.if_bool()) {
    EXPECT_EQ(value, Value{*truth});
  } else if (expected.is_null()) {
    EXPECT_TRUE(value.is_null());
  } else if (expected.is_integer() && value.if_int64()) {
    EXPECT_EQ(value.if_int64(), expected.if_int64());
  } else if (value.if_uint64()) {
    EXPECT_EQ(value.if_uint64(), expected.if_uint64());
  } else {
    EXPECT_EQ(as_double(value), expected.if_double());
  }
}

Value tagged_text(std::uint64_t tag, const char* text) {
  return Value::tagged(tag, text);
}

// The diagnostic notations of the file, which JSON cannot express.
const std::vector<std::pair<std::string_view, Value>>& diagnostics() {
  static const std::vector<std::pair<std::string_view, Value>> values{
      {"Infinity", std::numeric_limits<double>::infinity()},
      {"-Infinity", -std::numeric_limits<double>::infinity()},
      {"undefined", Value::from(Undefined{})},
      {"simple(16)", Value::from(Simple{16})},
      {"simple(24)", Value::from(Simple{24})},
      {"simple(255)", Value::from(Simple{255})},
      {"0(\"2013-03-21T20:04:00Z\")", tagged_text(0, "2013-03-21T20:04:00Z")},
      {"1(1363896240)", Value::tagged(1, 1363896240)},
      {"1(1363896240.5)", Value::tagged(1, 1363896240.5)},
      {"23(h'01020304')", Value::tagged(23, hex("01020304"))},
      {"24(h'6449455446')", Value::tagged(24, hex("6449455446"))},
      {"32(\"http://www.example.com\")", tagged_text(32, "http://www.example.com")},
      {"h''", Bytes{}},
      {"h'01020304'", hex("01020304")},
      {"{1: 2, 3: 4}", Map{{1, 2}, {3, 4}}},
      {"(_ h'0102', h'030405')", hex("0102030405")},
  };
  return values;
}

void expect_diagnostic(const Value& value, const std::string& text) {
  if (text == "NaN") {
    const auto* number = std::get_if<double>(&value.data());
    ASSERT_NE(number, nullptr);
    EXPECT_TRUE(std::isnan(*number));
    return;
  }
  for (const auto& [notation, expected] : diagnostics()) {
    if (notation != text) continue;
    EXPECT_EQ(value, expected) << text;
    return;
  }
  ADD_FAILURE() << "no meaning is given for the notation " << text;
}

TEST(cbor, every_example_of_rfc_8949_appendix_a_is_read_and_written) {
  COFFER_REQUIRE_VECTORS();
  testing::VectorTally tally("cbor/appendix_a.json");
  const auto file = json::parse(testing::read_vector("cbor/appendix_a.json")).value();
  for (const auto& example : *file.if_array()) {
    const auto text = example.find("hex")->as_string("hex").value();
    // simple(24) is encoded there in a way that RFC 8949 section 3.3 calls not well-formed.
    if (text == "f818") {
      expect_refused(text, CborError::syntax);
      tally.ran();
      continue;
    }
    const auto value = parsed(text);
    if (const auto* decoded = example.find("decoded")) {
      expect_same(value, *decoded);
    } else {
      expect_diagnostic(value, *example.find("diagnostic")->if_string());
    }
    if (*example.find("roundtrip")->if_bool()) EXPECT_EQ(hex_encode(encode(value)), text);
    tally.ran();
  }
}

TEST(cbor, tags_of_every_width_are_read) {
  for (const std::uint64_t tag :
       {0ULL, 6ULL, 18ULL, 23ULL, 24ULL, 61ULL, 255ULL, 256ULL, 55799ULL, 65536ULL, 0x100000000ULL}) {
    const auto data = encode(Value::tagged(tag, 1));
    const auto value = parse(data);
    ASSERT_TRUE(value) << tag;
    ASSERT_NE(value->if_tagged(), nullptr) << tag;
    EXPECT_EQ(value->if_tagged()->tag, tag);
    EXPECT_EQ(value->if_tagged()->content, Value{1});
  }
}

TEST(cbor, integers_convert_only_where_they_fit) {
  EXPECT_EQ(parsed("1bffffffffffffffff").if_uint64(), 0xffffffffffffffffU);
  EXPECT_EQ(parsed("1bffffffffffffffff").if_int64(), std::nullopt);
  EXPECT_EQ(parsed("3b7fffffffffffffff").if_int64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parsed("3bffffffffffffffff").if_int64(), std::nullopt);
  EXPECT_EQ(parsed("20").if_uint64(), std::nullopt);
  EXPECT_EQ(hex_encode(encode(std::numeric_limits<std::int64_t>::min())), "3b7fffffffffffffff");
  EXPECT_EQ(hex_encode(encode(-1)), "20");
  EXPECT_EQ(hex_encode(encode(-500)), "3901f3");
}

TEST(cbor, maps_are_searched_by_number_and_text) {
  const auto value = parsed("a301026161202003");
  EXPECT_EQ(*value.find(1), Value{2});
  EXPECT_EQ(*value.find("a"), Value{-1});
  EXPECT_EQ(*value.find(-1), Value{3});
  EXPECT_EQ(value.find(2), nullptr);
  EXPECT_EQ(value.find("b"), nullptr);
  EXPECT_EQ(Value{1}.find(1), nullptr);
  EXPECT_EQ(Value{1}.find("a"), nullptr);
}

TEST(cbor, encoding_is_deterministic) {
  // RFC 8949 section 4.2.1: keys 10, 100, -1, "z", "aa", [100], [-1], false.
  const Value map{Map{{false, 0}, {Array{-1}, 0}, {"aa", 0}, {100, 0}, {10, 0}, {Array{100}, 0}, {"z", 0}, {-1, 0}}};
  EXPECT_EQ(hex_encode(encode(map)),
            "a80a00186400200"
            "0617a006261610081186400812000f400");
  EXPECT_EQ(encode(parse(encode(map)).value()), encode(map));
}

TEST(cbor, floats_are_as_short_as_their_value_allows) {
  const auto text = [](double v) { return hex_encode(encode(v)); };
  EXPECT_EQ(text(0.0), "f90000");
  EXPECT_EQ(text(-0.0), "f98000");
  EXPECT_EQ(text(65504.0), "f97bff");
  EXPECT_EQ(text(65536.0), "fa47800000");
  EXPECT_EQ(text(5.960464477539063e-8), "f90001");      // the smallest half
  EXPECT_EQ(text(std::ldexp(1.0, -25)), "fa33000000");  // half of it
  EXPECT_EQ(text(6.097555160522461e-5), "f903ff");      // the largest subnormal half
  EXPECT_EQ(text(6.103515625e-5), "f90400");
  EXPECT_EQ(text(1.0009765625), "f93c01");
  EXPECT_EQ(text(1.00048828125), "fa3f801000");
  EXPECT_EQ(text(3.4028234663852886e+38), "fa7f7fffff");
  EXPECT_EQ(text(1.1), "fb3ff199999999999a");
  EXPECT_EQ(text(1e300), "fb7e37e43c8800759c");
  EXPECT_EQ(text(std::nan("")), "f97e00");
}

TEST(cbor, truncated_data_are_refused) {
  for (const auto* text : {"",
                           "18",
                           "19ff",
                           "41",
                           "5a0000ffff00",
                           "62c3",
                           "81",
                           "8201",
                           "a1",
                           "a101",
                           "9f",
                           "9f01",
                           "bf",
                           "bf01",
                           "5f",
                           "5f4101",
                           "7f",
                           "c0",
                           "d8",
                           "f9",
                           "f97e",
                           "fb00",
                           "5bffffffffffffffff00"}) {
    expect_refused(text, CborError::truncated);
  }
}

TEST(cbor, malformed_data_are_refused) {
  for (const auto* text :
       {"ff",     "1c",   "1f",     "3e",       "3f",       "5c",           "7d",         "9e",
        "bc",     "dc",   "df",     "fc",       "f800",     "f81f",         "81ff",       "a101ff",
        "bf01ff", "c1ff", "5f01ff", "5f6161ff", "7f4101ff", "5f5f4101ffff", "5fc04101ff", "7f80ff"}) {
    expect_refused(text, CborError::syntax);
  }
}

TEST(cbor, text_that_is_no_utf8_is_refused) {
  for (const auto* text : {"61ff", "62c328", "7f61c361a9ff", "63eda080"}) expect_refused(text, CborError::syntax);
}

TEST(cbor, bytes_after_the_value_are_refused) {
  expect_refused("0000", CborError::trailing_bytes);
  expect_refused("80f6", CborError::trailing_bytes);
}

TEST(cbor, duplicate_keys_are_refused_in_any_encoding) {
  expect_refused("a201000100", CborError::duplicate_key);
  expect_refused("a20100180100", CborError::duplicate_key);
  expect_refused("bf616100616100ff", CborError::duplicate_key);
  expect_refused("a2617f007f617fff00", CborError::duplicate_key);
  expect_refused("81a2a10102f5a1010200", CborError::duplicate_key);
  parsed("a2010020f5");
}

TEST(cbor, depth_is_bounded_for_arrays_maps_tags_and_chunks) {
  const Limits limits{.max_depth = 2};
  EXPECT_TRUE(parse(hex("818101"), limits));
  for (const auto* text : {"81818101", "a101a101a10101", "c1c1c101", "8181c101", "81815f4101ff"}) {
    expect_refused(text, CborError::too_deep, limits);
  }
  EXPECT_EQ(parse(Bytes(1000, std::byte{0x81})).error().code, CborError::too_deep);
  EXPECT_EQ(parse(Bytes(1000, std::byte{0xc1})).error().code, CborError::too_deep);
}

TEST(cbor, size_and_count_are_bounded) {
  expect_refused("820102", CborError::too_large, {.max_size = 2});
  EXPECT_TRUE(parse(hex("820102"), {.max_items = 3}));
  expect_refused("83010203", CborError::too_large, {.max_items = 3});
  expect_refused("9f010203ff", CborError::too_large, {.max_items = 3});
  expect_refused("5f410141014101ff", CborError::too_large, {.max_items = 3});
  // Lengths that ask for gigabytes are refused before anything is allocated.
  for (const auto* text : {"9bffffffffffffffff", "bbffffffffffffffff", "9a7fffffff", "ba7fffffff"}) {
    expect_refused(text, CborError::too_large);
  }
}

TEST(cbor, values_are_equal_by_content) {
  EXPECT_EQ(Value::tagged(1, Array{1, "a"}), Value::tagged(1, Array{1, "a"}));
  EXPECT_NE(Value::tagged(1, 1), Value::tagged(2, 1));
  EXPECT_NE(Value::tagged(1, 1), Value::tagged(1, 2));
  EXPECT_NE(Value::tagged(1, 1), Value{1});
  EXPECT_NE(Value{1}, Value::tagged(1, 1));
  EXPECT_NE(Value{1}, Value{1.0});
  EXPECT_NE(Value{}, Value::from(Undefined{}));
}

}  // namespace
}  // namespace coffer::codec::cbor

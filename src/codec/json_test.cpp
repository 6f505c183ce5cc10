#include "codec/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "codec/json_secret.h"

namespace coffer::codec::json {
namespace {

Value parsed(std::string_view text) {
  auto value = parse(text);
  EXPECT_TRUE(value) << text << ": " << (value ? "" : value.error().message);
  return value ? *std::move(value) : Value{};
}

Error refused(std::string_view text, JsonError code, const Limits& limits = {}) {
  const auto value = parse(text, limits);
  EXPECT_FALSE(value) << text;
  if (value) return {code, ""};
  EXPECT_EQ(value.error().code, code) << text << ": " << to_string(value.error());
  return value.error();
}

std::string again(std::string_view text) {
  return serialize(parsed(text));
}

TEST(json_secret, wiping_leaves_no_text_and_no_number) {
  auto value =
      parsed(R"({"a":"key","b":[1,-2,2.5,18446744073709551615,{"c":"a text of more than a few bytes"}],"d":true})");
  wipe(value);
  const std::string zeros(31, '\0');
  const Value expected =
      Object{{"a", std::string(3, '\0')}, {"b", Array{0, 0, 0, 0, Object{{"c", zeros}}}}, {"d", true}};
  EXPECT_EQ(value, expected);
}

TEST(json_parse, every_kind_of_value_is_read) {
  const auto value = parsed(R"( {"a":null,"b":true,"c":false,"d":-1,"e":2.5,"f":"x","g":[1,[]],"h":{}} )");
  EXPECT_TRUE(value.find("a")->is_null());
  EXPECT_TRUE(*value.find("b")->if_bool());
  EXPECT_FALSE(*value.find("c")->if_bool());
  EXPECT_EQ(value.find("d")->if_int64(), -1);
  EXPECT_EQ(value.find("e")->if_double(), 2.5);
  EXPECT_EQ(*value.find("f")->if_string(), "x");
  EXPECT_EQ(value.find("g")->if_array()->size(), 2U);
  EXPECT_TRUE(value.find("h")->if_object()->empty());
  EXPECT_EQ(value.find("i"), nullptr);
}

TEST(json_parse, members_keep_their_order) {
  EXPECT_EQ(again(R"({"z":1,"a":2,"m":{"y":3,"b":4}})"), R"({"z":1,"a":2,"m":{"y":3,"b":4}})");
}

TEST(json_parse, integers_keep_all_64_bits) {
  EXPECT_EQ(parsed("9223372036854775807").if_int64(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parsed("-9223372036854775808").if_int64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parsed("9223372036854775808").if_int64(), std::nullopt);
  EXPECT_EQ(parsed("9223372036854775808").if_uint64(), 9223372036854775808U);
  EXPECT_EQ(parsed("18446744073709551615").if_uint64(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(again("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(parsed("-1").if_uint64(), std::nullopt);
}

TEST(json_parse, numbers_beyond_64_bits_and_with_a_point_are_doubles) {
  EXPECT_FALSE(parsed("18446744073709551616").is_integer());
  EXPECT_EQ(parsed("18446744073709551616").if_double(), 18446744073709551616.0);
  EXPECT_EQ(parsed("-9223372036854775809").if_double(), -9223372036854775808.0);
  EXPECT_FALSE(parsed("1.0").is_integer());
  EXPECT_EQ(parsed("1.0").if_int64(), std::nullopt);
  EXPECT_FALSE(parsed("1e2").is_integer());
  EXPECT_EQ(again("1.0"), "1.0");
}

// Found with a parser that scales by powers of ten: the nearest double differs in the last bit.
TEST(json_parse, doubles_are_the_nearest_ones) {
  EXPECT_EQ(parsed("0.1234567890123456789012345678901234567890").if_double(),
            0.1234567890123456789012345678901234567890);
  EXPECT_EQ(parsed("1.7976931348623157e308").if_double(), std::numeric_limits<double>::max());
  EXPECT_EQ(parsed("5e-324").if_double(), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(parsed("2.2250738585072011e-308").if_double(), 2.2250738585072011e-308);
  EXPECT_EQ(parsed("9007199254740993.0").if_double(), 9007199254740992.0);
  EXPECT_EQ(parsed("123456789012345678901234567890").if_double(), 123456789012345678901234567890.0);
}

TEST(json_parse, numbers_beyond_a_double_are_refused) {
  for (const auto* text : {"1e400", "-1e400", "1e-400", "1e99999999999999", "[1e309]"}) {
    refused(text, JsonError::number_range);
  }
}

TEST(json_parse, malformed_texts_are_refused) {
  for (const auto* text : {"",          " ",           "{",          "[",        "[1",       "[1,",    "[1,]",
                           "{\"a\"}",   "{\"a\":}",    "{\"a\":1,}", "{a:1}",    "{'a':1}",  "\"",     "\"a",
                           "tru",       "nul",         "True",       "NaN",      "Infinity", "-",      "+1",
                           "01",        "-01",         "1.",         ".5",       "1e",       "1e+",    "0x10",
                           "1 2",       "[] []",       "// c\n1",    "/* c */1", "\"\t\"",   "\"\n\"", "\"\\x\"",
                           "\"\\u12\"", "\"\\u12g4\"", "]",          "}",        "[}",       ",",      ":"}) {
    refused(text, JsonError::syntax);
  }
  refused(std::string_view{"\0", 1}, JsonError::syntax);
  refused(std::string_view{"\"a\0b\"", 5}, JsonError::syntax);
}

TEST(json_parse, escapes_are_undone) {
  EXPECT_EQ(*parsed(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00")").if_string(),
            "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(*parsed(R"("\u0000")").if_string(), (std::string{"\0", 1}));
}

TEST(json_parse, lone_surrogates_are_refused) {
  for (const auto* text : {R"("\ud800")", R"("\ud800x")", R"("\udc00")", R"("\ud800\ud800")", R"("\ud800\u0041")"}) {
    refused(text, JsonError::syntax);
  }
}

TEST(json_parse, bytes_that_are_no_utf8_are_refused) {
  for (const auto* text : {"\"\x80\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xe0\x80\x80\"", "\"\xed\xa0\x80\"",
                           "\"\xf4\x90\x80\x80\"", "\"\xf8\x88\x80\x80\x80\"", "\"\xff\"", "\xff", "{\"\xc3\":1}"}) {
    refused(text, JsonError::bad_utf8);
  }
  refused("\xef\xbb\xbf{}", JsonError::syntax);  // RFC 8259 section 8.1: no byte order mark
}

TEST(json_parse, duplicate_keys_are_refused_however_they_are_spelt) {
  EXPECT_NE(refused(R"({"a":1,"b":2,"a":3})", JsonError::duplicate_key).message.find("\"a\""), std::string::npos);
  refused(R"({"a":1,"\u0061":2})", JsonError::duplicate_key);
  refused(R"([{"x":{"":1,"":2}}])", JsonError::duplicate_key);
  parsed(R"({"a":{"a":1},"b":{"a":1}})");
}

TEST(json_parse, errors_name_line_and_column) {
  EXPECT_EQ(refused("{\n  \"a\": tru\n}", JsonError::syntax).message.substr(0, 18), "line 2, column 8: ");
  EXPECT_EQ(refused("[1,\n2,\n x]", JsonError::syntax).message.substr(0, 18), "line 3, column 2: ");
  EXPECT_EQ(refused("[1] x", JsonError::syntax).message.substr(0, 18), "line 1, column 5: ");
}

TEST(json_parse, nesting_is_bounded) {
  const Limits limits{.max_depth = 3};
  parse("[[[1]]]", limits).value();
  EXPECT_NE(refused("[[[[1]]]]", JsonError::too_deep, limits).message.find('3'), std::string::npos);
  refused(R"({"a":{"a":{"a":{}}}})", JsonError::too_deep, limits);
  refused(std::string(100000, '['), JsonError::too_deep);
}

TEST(json_parse, size_and_count_are_bounded) {
  EXPECT_TRUE(parse("[1,2]", {.max_size = 5}));
  refused("[1, 2]", JsonError::too_large, {.max_size = 5});
  EXPECT_TRUE(parse("[1,2]", {.max_values = 3}));
  refused("[1,2,3]", JsonError::too_large, {.max_values = 3});
  refused("[[],[]]", JsonError::too_large, {.max_values = 2});
}

TEST(json_parse, many_members_take_no_quadratic_time) {
  std::string text = "{";
  for (int i = 0; i < 100000; ++i) text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  text += "}";
  EXPECT_EQ(parsed(text).if_object()->size(), 100000U);
}

TEST(json_serialize, control_characters_are_escaped_and_the_rest_is_not) {
  EXPECT_EQ(serialize("\x01\x1f\x7f\b\t\n\f\r\"\\/\xc3\xa9\xe2\x80\xa8"),
            "\"\\u0001\\u001f\x7f\\b\\t\\n\\f\\r\\\"\\\\/\xc3\xa9\xe2\x80\xa8\"");
}

TEST(json_serialize, strings_that_are_no_utf8_become_replacement_characters) {
  EXPECT_EQ(serialize("a\xff\xc3z"), "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
}

TEST(json_serialize, doubles_stay_doubles_and_nan_becomes_null) {
  EXPECT_EQ(serialize(1.0), "1.0");
  EXPECT_EQ(serialize(-0.0), "-0.0");
  EXPECT_EQ(serialize(0.1), "0.1");
  EXPECT_EQ(serialize(1e300), "1e+300");
  EXPECT_EQ(serialize(std::nan("")), "null");
  EXPECT_EQ(serialize(std::numeric_limits<double>::infinity()), "null");
  for (const double number : {1e21, 1.5e-7, 123456789.125, 5e-324})
    EXPECT_EQ(parsed(serialize(number)).if_double(), number);
}

TEST(json_serialize, pretty_text_has_two_spaces_a_level_and_reads_the_same) {
  const auto value = parsed(R"({"a":[1,{"b":[]}],"c":{}})");
  EXPECT_EQ(serialize_pretty(value), "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}");
  EXPECT_EQ(parsed(serialize_pretty(value)), value);
}

TEST(json_value, unsigned_values_are_normal_integers_where_they_fit) {
  EXPECT_EQ(Value{5U}, Value{5});
  EXPECT_EQ(Value{std::numeric_limits<std::uint64_t>::max()}.if_uint64(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_NE(Value{1}, Value{1.0});
  EXPECT_EQ(Value{7}.if_double(), 7.0);
  EXPECT_EQ(Value{std::numeric_limits<std::uint64_t>::max()}.if_double(), 18446744073709551615.0);
  EXPECT_EQ(Value{"7"}.if_double(), std::nullopt);
}

TEST(json_value, objects_are_equal_in_any_order) {
  EXPECT_EQ(parsed(R"({"a":1,"b":[2]})"), parsed(R"({"b":[2],"a":1})"));
  EXPECT_NE(parsed(R"({"a":1,"b":2})"), parsed(R"({"a":1})"));
  EXPECT_NE(parsed(R"({"a":1})"), parsed(R"({"b":1})"));
  EXPECT_NE(parsed("[1,2]"), parsed("[2,1]"));
}

TEST(json_value, objects_change_by_set_append_and_erase) {
  Object object{{"a", 1}};
  object.set("b", "x");
  object.set("a", 2);
  object.append("c", nullptr);
  EXPECT_EQ(serialize(object), R"({"a":2,"b":"x","c":null})");
  EXPECT_TRUE(object.erase("b"));
  EXPECT_FALSE(object.erase("b"));
  EXPECT_EQ(object.size(), 2U);
  *object.find("a") = Array{true};
  EXPECT_EQ(serialize(object), R"({"a":[true],"c":null})");
  const auto copy = object;
  EXPECT_EQ(copy, object);
}

TEST(json_value, typed_access_names_path_and_types) {
  const auto value = parsed(R"({"n":-1,"s":"x"})");
  EXPECT_EQ(value.find("n")->as_int64("challenge.n").value(), -1);
  EXPECT_EQ(value.find("s")->as_string("challenge.s").value(), "x");
  const auto error = value.find("n")->as_string("challenge.n").error();
  EXPECT_EQ(error.code, JsonError::wrong_type);
  EXPECT_EQ(error.message, "challenge.n must be a string, and is number");
  EXPECT_EQ(value.find("n")->as_uint64("n").error().code, JsonError::wrong_type);
  EXPECT_EQ(value.find("n")->as_bool("n").error().code, JsonError::wrong_type);
  EXPECT_EQ(value.find("s")->as_int64("s").error().code, JsonError::wrong_type);
  EXPECT_EQ(value.as_array("root").error().code, JsonError::wrong_type);
  EXPECT_EQ(Value{}.as_object("root").error().message, "root must be an object, and is null");
}

TEST(json_value, members_are_required_or_optional) {
  const auto value = parsed(R"({"s":"x","o":{},"a":[],"null":null})");
  const auto& object = *value.if_object();
  EXPECT_EQ(string_member(object, "s", "top").value(), "x");
  EXPECT_TRUE(object_member(object, "o", "top").value()->empty());
  EXPECT_TRUE(array_member(object, "a", "top").value()->empty());
  EXPECT_EQ(string_member(object, "gone", "top").error().code, JsonError::missing_member);
  EXPECT_EQ(string_member(object, "gone", "top").error().message, "top.gone is missing");
  EXPECT_EQ(string_member(object, "gone", "").error().message, "gone is missing");
  EXPECT_EQ(object_member(object, "s", "top").error().code, JsonError::wrong_type);
  EXPECT_EQ(array_member(object, "s", "top").error().code, JsonError::wrong_type);
  EXPECT_EQ(optional_string_member(object, "s", "top").value(), "x");
  EXPECT_EQ(optional_string_member(object, "gone", "top").value(), std::nullopt);
  EXPECT_EQ(optional_string_member(object, "null", "top").value(), std::nullopt);
  EXPECT_EQ(optional_string_member(object, "o", "top").error().code, JsonError::wrong_type);
}

// RFC 6901 section 5.
TEST(json_pointer, examples_of_the_rfc_lead_where_they_should) {
  const auto value =
      parsed(R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8})");
  EXPECT_EQ(value.at_pointer(""), &value);
  EXPECT_EQ(value.at_pointer("/foo")->if_array()->size(), 2U);
  EXPECT_EQ(*value.at_pointer("/foo/0"), Value{"bar"});
  EXPECT_EQ(*value.at_pointer("/"), Value{0});
  EXPECT_EQ(*value.at_pointer("/a~1b"), Value{1});
  EXPECT_EQ(*value.at_pointer("/i\\j"), Value{5});
  EXPECT_EQ(*value.at_pointer("/ "), Value{7});
  EXPECT_EQ(*value.at_pointer("/m~0n"), Value{8});
}

TEST(json_pointer, pointers_that_lead_nowhere_are_null) {
  const auto value = parsed(R"({"foo":["bar","baz"],"x":1})");
  for (const auto* pointer : {"foo", "/gone", "/foo/2", "/foo/00", "/foo/-", "/foo/0x", "/foo/", "/foo/+1", "/x/y",
                              "/fo~o", "/foo~", "/foo/99999999999999999999", "/x/0"}) {
    EXPECT_EQ(value.at_pointer(pointer), nullptr) << pointer;
  }
}

}  // namespace
}  // namespace coffer::codec::json

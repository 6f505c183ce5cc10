// Every short text of an alphabet that makes JSON, and mutations of a longer one, against Boost.JSON.
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "codec/json_differential_testing.h"

namespace coffer::codec::json {
namespace {

TEST(json_differential, all_texts_of_few_tokens_are_judged_alike) {
  constexpr std::array<std::string_view, 20> tokens{"[",    "]",    "{",           "}",  ",",    ":",  "\"a\"",
                                                    "\"",   "0",    "-",           "12", ".5",   "e3", "E-1",
                                                    "true", "null", "\"\\u00e9\"", " ",  "fals", "\\"};
  constexpr std::size_t length = 4;
  std::size_t combinations = 1;
  for (std::size_t i = 0; i < length; ++i) combinations *= tokens.size();
  for (std::size_t number = 0; number < combinations; ++number) {
    std::string text;
    for (auto rest = number; rest > 0; rest /= tokens.size()) text += tokens[rest % tokens.size()];
    const auto found = difference(text);
    ASSERT_TRUE(found.empty()) << text << ": " << found;
  }
}

TEST(json_differential, mutations_of_a_document_are_judged_alike) {
  const std::string document =
      R"({"a":[1,2,250,-3.5e2,18446744073709551615,""],"long key with spaces":{"x":null,"y":[true,false]},)"
      R"("escapes":"\"\\\/\b\f\n\r\t\u0041\ud83d\ude00 and plain text of more than eight bytes","n":[0,1,2,3,4,5,6,7,8,9]})";
  std::mt19937 random{20261121};
  constexpr std::string_view alphabet = "\"\\[]{},:0129-+.eEu tfn\n\x01";
  for (int round = 0; round < 50000; ++round) {
    auto text = document;
    for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
      const auto at = random() % text.size();
      if (random() % 3 == 0) {
        text.erase(at, 1 + random() % 4);
      } else {
        text[at] = alphabet[random() % alphabet.size()];
      }
    }
    const auto found = difference(text);
    ASSERT_TRUE(found.empty()) << text << ": " << found;
  }
}

TEST(json_differential, arrays_of_numbers_are_read_alike_whatever_stands_between) {
  for (const auto* text :
       {"[1,2,3]", "[ 1 , 2 ,\n3\t]", "[1,[2,3],4]", "[1,\"2,3\",{\"a\":4}]", "[0,255,256,-1,1.5,1e3]", "[1,]", "[,1]",
        "[1,,2]", "[1 2]", "[01]", "[1", "[1,", "[999999999999999999,9999999999999999999]"}) {
    EXPECT_EQ(difference(text), "") << text;
  }
}

TEST(json_differential, a_zero_is_zero_whatever_its_exponent) {
  const std::string text = "0e-0100001400960138185386";
  EXPECT_EQ(difference(text), "");
  const auto value = parse(text);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->if_double(), 0.0);
}

}  // namespace
}  // namespace coffer::codec::json

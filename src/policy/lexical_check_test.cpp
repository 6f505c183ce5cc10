#include "policy/detail/lexical_check.h"

#include <gtest/gtest.h>

#include "policy/engine.h"

namespace coffer::policy::detail {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

void expect_too_nested(const std::string& text) {
  const auto result = check_lexically(text);
  ASSERT_FALSE(result) << text.substr(0, 60);
  EXPECT_EQ(result.error().code, ErrorCode{PolicyError::too_nested});
}

TEST(LexicalCheck, accepts_literals_up_to_the_limit_and_not_beyond) {
  EXPECT_TRUE(check_lexically("x := " + repeated("[", 12) + repeated("]", 12)));
  expect_too_nested("x := " + repeated("[", 13) + repeated("]", 13));
  expect_too_nested("x := " + repeated("{\"a\": ", 13) + "1" + repeated("}", 13));
  expect_too_nested("x := " + repeated("[y | y := ", 13) + "1" + repeated("]", 13));
}

TEST(LexicalCheck, does_not_count_bodies_indexes_and_calls_as_literals) {
  EXPECT_TRUE(check_lexically("x if { y := " + repeated("f(", 20) + "1" + repeated(")", 20) + " }"));
  EXPECT_TRUE(check_lexically("x := input" + repeated("[y", 20) + repeated("]", 20)));
  expect_too_nested("x := " + repeated("(", 31) + repeated(")", 31));
}

TEST(LexicalCheck, bounds_chains_of_operators_dots_signs_and_indexes) {
  EXPECT_TRUE(check_lexically("x := 1" + repeated("\n+ 1", 300)));
  expect_too_nested("x := 1" + repeated("\n+ 1", 500));
  expect_too_nested("x := input" + repeated(".a", 500));
  expect_too_nested("x := " + repeated("- ", 500) + "1");
  expect_too_nested("x := input" + repeated("[\n0]", 500));
  expect_too_nested("x if 1" + repeated(" in y", 500));
}

TEST(LexicalCheck, starts_a_new_chain_with_each_statement_and_item) {
  EXPECT_TRUE(check_lexically("x if {\n" + repeated("  input.a == 1\n", 5000) + "}"));
  EXPECT_TRUE(check_lexically("x := [" + repeated("1, ", 5000) + "1]"));
  EXPECT_TRUE(check_lexically(repeated("x if { input.a; input.b }\n", 2000)));
}

TEST(LexicalCheck, ignores_brackets_in_strings_and_comments) {
  EXPECT_TRUE(check_lexically("x := \"" + repeated("[", 100) + "\\\"[\""));
  EXPECT_TRUE(check_lexically("x := `" + repeated("[\n", 100) + "`"));
  EXPECT_TRUE(check_lexically("# " + repeated("[", 100) + "\nx := 1"));
  expect_too_nested("# comment\nx := " + repeated("[", 20));
}

TEST(LexicalCheck, bounds_the_work_of_many_moderately_nested_literals) {
  const auto nest = repeated("[", 12) + "1" + repeated("]", 12) + "\n";
  expect_too_nested("x := " + repeated(nest + ", ", 200));
}

TEST(LexicalCheck, names_the_line) {
  const auto result = check_lexically("package policy\n\nx := " + repeated("[", 20));
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().message.starts_with("line 3: ")) << result.error().message;
}

TEST(LexicalCheck, survives_text_that_ends_early) {
  for (const auto* text : {"\"", "`", "\"\\", "#", "]", "}", ")))", "x := [", "", "\\"}) {
    EXPECT_TRUE(check_lexically(text)) << text;
  }
}

}  // namespace
}  // namespace coffer::policy::detail

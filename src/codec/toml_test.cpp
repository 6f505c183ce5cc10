#include "codec/toml.h"

#include <gtest/gtest.h>

namespace coffer::codec {
namespace {

json::Value parsed(std::string_view text) {
  auto value = parse_toml(text, "kbs.toml");
  EXPECT_TRUE(value) << to_string(value.error());
  return value ? *value : json::Value{};
}

Error refused(std::string_view text) {
  auto value = parse_toml(text, "kbs.toml");
  EXPECT_FALSE(value);
  return value ? Error{TomlError::syntax, "accepted"} : value.error();
}

TEST(Toml, tables_arrays_and_scalars_become_json) {
  const auto value = parsed(
      "title = \"x\"\n[http_server]\nsockets = [\"a\", \"b\"]\ninsecure_http = true\nratio = 1.5\n"
      "size = 9007199254740993\n[[plugins]]\nname = \"resource\"\n");
  EXPECT_EQ(*value.at_pointer("/title")->if_string(), "x");
  EXPECT_EQ(*value.at_pointer("/http_server/sockets/1")->if_string(), "b");
  EXPECT_TRUE(*value.at_pointer("/http_server/insecure_http")->if_bool());
  EXPECT_EQ(value.at_pointer("/http_server/ratio")->if_double(), 1.5);
  EXPECT_EQ(value.at_pointer("/http_server/size")->if_int64(), 9007199254740993);
  EXPECT_EQ(*value.at_pointer("/plugins/0/name")->if_string(), "resource");
}

TEST(Toml, dates_and_times_become_strings) {
  const auto value = parsed("a = 2026-01-02T03:04:05Z\nb = 2026-01-02\nc = 03:04:05\n");
  EXPECT_EQ(*value.find("a")->if_string(), "2026-01-02T03:04:05Z");
  EXPECT_EQ(*value.find("b")->if_string(), "2026-01-02");
  EXPECT_EQ(*value.find("c")->if_string(), "03:04:05");
}

TEST(Toml, a_syntax_error_names_file_line_and_column) {
  const auto error = refused("a = 1\nb = \n");
  EXPECT_EQ(error.code, TomlError::syntax);
  EXPECT_EQ(error.message.rfind("kbs.toml:2:", 0), 0U) << error.message;
}

TEST(Toml, a_duplicate_key_is_an_error) {
  EXPECT_EQ(refused("a = 1\na = 2\n").code, TomlError::syntax);
}

TEST(Toml, numbers_that_json_lacks_are_refused_with_their_place) {
  const auto error = refused("ok = 1\nx = nan\n");
  EXPECT_EQ(error.code, TomlError::bad_number);
  EXPECT_EQ(error.message.rfind("kbs.toml:2:5: ", 0), 0U) << error.message;
  EXPECT_EQ(refused("x = -inf").code, TomlError::bad_number);
}

TEST(Toml, a_file_over_the_limit_is_refused_before_parsing) {
  EXPECT_EQ(refused(std::string(max_toml_size + 1, '#')).code, TomlError::too_large);
}

TEST(Toml, dotted_keys_of_any_spelling_cannot_nest_without_bound) {
  std::string bare = "a", quoted = "\"=\"";
  for (int i = 0; i < 200000; ++i) bare += ".a";
  for (int i = 0; i < 100; ++i) quoted += ".\"=\"";
  EXPECT_EQ(refused(bare + " = 1").code, TomlError::too_deep);
  EXPECT_EQ(refused(quoted + " = 1").code, TomlError::too_deep);
  EXPECT_EQ(refused("[" + quoted + "]").code, TomlError::too_deep);
}

TEST(Toml, brackets_cannot_nest_without_bound) {
  EXPECT_EQ(refused("a = " + std::string(100, '[') + std::string(100, ']')).code, TomlError::too_deep);
}

TEST(Toml, tables_that_add_up_to_too_deep_a_tree_are_refused) {
  std::string header = "[a", key = "b";
  for (int i = 0; i < 40; ++i) header += ".a", key += ".b";
  EXPECT_EQ(refused(header + "]\n" + key + " = 1\n").code, TomlError::too_deep);
}

TEST(Toml, dots_and_brackets_in_strings_and_comments_do_not_count) {
  const std::string dots(300, '.'), brackets(300, '[');
  const auto value = parsed("# " + dots + brackets + "\na = \"" + dots + "\\\"" + brackets + "\"\nb = '" + dots +
                            "'\nc = \"\"\"\n" + dots + "\"\"" + brackets + "\"\"\"\nd = [1.0, 2.0]\n");
  EXPECT_EQ(*value.find("b")->if_string(), dots);
  EXPECT_EQ(value.at_pointer("/d/1")->if_double(), 2.0);
}

TEST(Toml, quotes_at_the_end_of_a_string_hide_no_nesting) {
  std::string key = "b";
  for (int i = 0; i < 400000; ++i) key += ".b";
  for (const std::string quotes : {"\"\"\"", "'''"}) {
    for (const auto extra : {1U, 2U}) {
      const auto text = "a = [" + quotes + "x" + quotes + quotes.substr(0, extra) + ", ";
      EXPECT_EQ(refused(text + "{" + key + " = 1}]\n").code, TomlError::too_deep);
      EXPECT_EQ(refused(text + std::string(100, '[') + std::string(100, ']') + "]\n").code, TomlError::too_deep);
      EXPECT_EQ(*parsed(text + "1.0]").at_pointer("/a/0")->if_string(), "x" + quotes.substr(0, extra));
    }
  }
}

// Time and memory follow the size of the file, not its square.
TEST(Toml, many_members_and_many_below_a_long_name_are_read) {
  std::string many;
  for (int i = 0; many.size() < max_toml_size - 20; ++i) many += "k" + std::to_string(i) + "=1\n";
  EXPECT_GT(parsed(many).if_object()->size(), 90000U);
  std::string below = "[" + std::string(100000, 'n') + "]\n";
  for (int i = 0; i < 100000; ++i) below += "k" + std::to_string(i) + "=1\n";
  const auto document = parse_toml_document(below, "kbs.toml");
  ASSERT_TRUE(document);
  std::size_t bytes = 0;
  for (const auto& [pointer, line] : document->lines) bytes += pointer.size();
  EXPECT_LE(bytes, LineMap::max_pointer_bytes);
  EXPECT_GT(bytes, 0U);
}

TEST(Toml, a_null_byte_is_refused) {
  using namespace std::literals;
  EXPECT_EQ(refused("a = 1\0"sv).code, TomlError::syntax);
}

}  // namespace
}  // namespace coffer::codec

#include "codec/yaml.h"

#include <gtest/gtest.h>

#include <limits>

namespace coffer::codec {
namespace {

constexpr std::string_view sample = R"(http_server:
  sockets: ["0.0.0.0:8080"]
  insecure_http: true
plugins:
  - name: resource
    dir_path: "/opt/kbs"
    count: 3
    ratio: 1.5
    nothing: ~
    quoted: "true"
)";

json::Value parsed(std::string_view text) {
  const auto document = parse_yaml_document(text, "f.yaml");
  EXPECT_TRUE(document) << to_string(document.error());
  return document ? document->root : json::Value{};
}

ErrorCode code_of(std::string_view text) {
  const auto document = parse_yaml_document(text, "f.yaml");
  return document ? ErrorCode{YamlError::syntax} : document.error().code;
}

TEST(Yaml, reads_block_and_flow_collections_with_their_scalars) {
  const auto root = parsed(sample);
  EXPECT_EQ(*root.at_pointer("/http_server/sockets/0")->if_string(), "0.0.0.0:8080");
  EXPECT_TRUE(*root.at_pointer("/http_server/insecure_http")->if_bool());
  EXPECT_EQ(root.at_pointer("/plugins/0/count")->if_int64(), 3);
  EXPECT_EQ(root.at_pointer("/plugins/0/ratio")->if_double(), 1.5);
  EXPECT_TRUE(root.at_pointer("/plugins/0/nothing")->is_null());
  EXPECT_EQ(*root.at_pointer("/plugins/0/quoted")->if_string(), "true");
}

TEST(Yaml, knows_the_line_of_each_member) {
  const auto document = parse_yaml_document(sample, "f.yaml");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->lines.at("/http_server/insecure_http"), 3U);
  EXPECT_EQ(document->lines.at("/plugins/0/dir_path"), 6U);
}

TEST(Yaml, reads_an_empty_document_as_an_empty_object) {
  EXPECT_TRUE(parsed("").is_object());
  EXPECT_TRUE(parsed("# nothing\n").is_object());
}

TEST(Yaml, refuses_what_hides_or_multiplies_values) {
  EXPECT_EQ(code_of("a: 1\na: 2\n"), ErrorCode{YamlError::duplicate_key});
  EXPECT_EQ(code_of("a: &x 1\nb: *x\n"), ErrorCode{YamlError::not_supported});
  EXPECT_EQ(code_of("a: !!binary aGk=\n"), ErrorCode{YamlError::not_supported});
  EXPECT_EQ(code_of("a: 1\n---\nb: 2\n"), ErrorCode{YamlError::not_supported});
  EXPECT_EQ(code_of("[1]: 2\n"), ErrorCode{YamlError::not_supported});
}

TEST(Yaml, refuses_tags_and_anchors_on_collections_and_keys_too) {
  for (const auto* text : {"a: !!set {b: 1}\n", "a: !mine [1]\n", "!mine a: 1\n", "&x a: 1\n", "a: &x [1]\n"}) {
    EXPECT_EQ(code_of(text), ErrorCode{YamlError::not_supported}) << text;
  }
  EXPECT_EQ(*parsed("\"a\": [1]\n'b': {c: d}\n").at_pointer("/b/c")->if_string(), "d");
}

TEST(Yaml, refuses_text_that_is_no_utf8) {
  for (const auto* text : {"a: \xff\n", "a: \"\xc3\x28\"\n",
                           "\xff\xfe"
                           "a"}) {
    const auto document = parse_yaml_document(text, "f.yaml");
    ASSERT_FALSE(document);
    EXPECT_NE(document.error().message.find("UTF-8"), std::string::npos) << document.error().message;
  }
}

TEST(Yaml, numbers_keep_all_their_bits_and_their_sign) {
  const auto root = parsed("[18446744073709551615, -9223372036854775808, +12, +1.5, 007, 1e3]");
  EXPECT_EQ(root.at_pointer("/0")->if_uint64(), 18446744073709551615U);
  EXPECT_EQ(root.at_pointer("/1")->if_int64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(root.at_pointer("/2")->if_int64(), 12);
  EXPECT_EQ(root.at_pointer("/3")->if_double(), 1.5);
  EXPECT_EQ(root.at_pointer("/4")->if_int64(), 7);
  EXPECT_EQ(root.at_pointer("/5")->if_double(), 1000.0);
  const auto texts = parsed("[+-1, ++1, '1', .inf, .nan, nan, inf, 1e999, 1.2.3, '', +, -, ., 0x10, 1_000]");
  for (const auto& text : *texts.if_array()) EXPECT_TRUE(text.is_string());
}

TEST(Yaml, takes_merge_keys_for_plain_ones) {
  EXPECT_EQ(parsed("<<: {a: 1}\nb: 2\n").at_pointer("/<</a")->if_int64(), 1);
  EXPECT_EQ(parsed("<<: {a: 1}\n").find("a"), nullptr);
}

// Time and memory follow the size of the file, not its square.
TEST(Yaml, reads_many_members_and_many_below_a_long_name) {
  std::string many;
  for (int i = 0; many.size() < max_yaml_size - 20; ++i) many += "k" + std::to_string(i) + ": 1\n";
  EXPECT_GT(parsed(many).if_object()->size(), 90000U);
  std::string below = std::string(1000, 'n') + ":\n";
  for (int i = 0; i < 50000; ++i) below += " k" + std::to_string(i) + ": 1\n";
  const auto document = parse_yaml_document(below, "f.yaml");
  ASSERT_TRUE(document);
  std::size_t bytes = 0;
  for (const auto& [pointer, line] : document->lines) bytes += pointer.size();
  EXPECT_LE(bytes, LineMap::max_pointer_bytes);
  EXPECT_EQ(document->lines.at("/" + std::string(1000, 'n') + "/k7"), 9U);
}

TEST(Yaml, bounds_depth_and_size) {
  EXPECT_EQ(code_of(std::string(100, '[') + std::string(100, ']')), ErrorCode{YamlError::too_deep});
  EXPECT_EQ(code_of(std::string(max_yaml_size + 1, ' ')), ErrorCode{YamlError::too_large});
}

TEST(Yaml, names_the_line_of_a_syntax_error) {
  const auto document = parse_yaml_document("a: 1\nb: [1, 2\n", "f.yaml");
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, ErrorCode{YamlError::syntax});
  EXPECT_TRUE(document.error().message.starts_with("f.yaml:")) << document.error().message;
}

}  // namespace
}  // namespace coffer::codec

#include "net/http.h"

#include <gtest/gtest.h>

#include "net/error.h"

namespace coffer::net {
namespace {

TEST(Headers, compare_names_without_case_and_keep_their_spelling) {
  Headers headers{{"Content-Type", "a"}, {"Set-Cookie", "1"}, {"SET-COOKIE", "2"}};
  EXPECT_EQ(headers.get("content-type"), "a");
  EXPECT_EQ(headers.get("absent"), std::nullopt);
  EXPECT_EQ(headers.get_all("set-cookie"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_EQ(headers.begin()->first, "Content-Type");
}

TEST(Headers, set_replaces_all_of_a_name) {
  Headers headers{{"A", "1"}, {"a", "2"}, {"B", "3"}};
  headers.set("a", "4");
  EXPECT_EQ(headers.get_all("A"), std::vector<std::string_view>{"4"});
  headers.remove("B");
  headers.remove("a");
  EXPECT_TRUE(headers.empty());
}

TEST(HttpText, knows_tokens_and_field_values) {
  EXPECT_TRUE(is_token("X-Foo_1"));
  for (const std::string_view text : {"", "a b", "a:b", "a\r", "\xc3\xa4", "a\"b"})
    EXPECT_FALSE(is_token(text)) << text;
  EXPECT_TRUE(is_field_value("a\tb \xc3\xa4"));
  EXPECT_TRUE(is_field_value(""));
  for (const std::string_view text :
       {std::string_view{"a\rb"}, std::string_view{"a\nb"}, std::string_view{"a\0b", 3}, std::string_view{"\x7f"}}) {
    EXPECT_FALSE(is_field_value(text));
  }
}

TEST(NetErrors, have_names_of_their_own) {
  EXPECT_EQ(code_name(NetError::bad_url), "net.bad_url");
  EXPECT_EQ(code_name(NetError::unresolved), "net.unresolved");
  EXPECT_EQ(code_name(NetError::refused), "net.refused");
  EXPECT_EQ(code_name(NetError::unreachable), "net.unreachable");
  EXPECT_EQ(code_name(NetError::tls), "net.tls");
  EXPECT_EQ(code_name(NetError::timeout), "net.timeout");
  EXPECT_EQ(code_name(NetError::too_large), "net.too_large");
  EXPECT_EQ(code_name(NetError::protocol), "net.protocol");
  EXPECT_EQ(code_name(NetError::redirect), "net.redirect");
  EXPECT_EQ(code_name(NetError::cancelled), "net.cancelled");
  EXPECT_EQ(code_name(NetError::address_in_use), "net.address_in_use");
  EXPECT_EQ(code_name(NetError::bad_message), "net.bad_message");
  EXPECT_EQ(code_name(NetError::bad_metric), "net.bad_metric");
  EXPECT_EQ(code_name(NetError::bad_configuration), "net.bad_configuration");
}

}  // namespace
}  // namespace coffer::net

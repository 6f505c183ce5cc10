#include "net/url.h"

#include <gtest/gtest.h>

namespace coffer::net {
namespace {

Url parsed(std::string_view text) {
  auto url = Url::parse(text);
  EXPECT_TRUE(url) << text;
  return url.value_or(Url{});
}

TEST(Url, parses_each_part) {
  const auto url = parsed("HTTPS://Registry.Example:5000/v2/a%2Fb/manifests/latest?ns=x&y#part");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "registry.example");
  EXPECT_EQ(url.port, 5000);
  EXPECT_EQ(url.path, "/v2/a%2Fb/manifests/latest");
  EXPECT_EQ(url.query, "ns=x&y");
  EXPECT_EQ(url.authority(), "registry.example:5000");
  EXPECT_EQ(url.origin(), "https://registry.example:5000");
  EXPECT_EQ(url.target(), "/v2/a%2Fb/manifests/latest?ns=x&y");
  EXPECT_EQ(url.text(), "https://registry.example:5000/v2/a%2Fb/manifests/latest?ns=x&y");
}

TEST(Url, knows_default_ports_and_an_empty_path) {
  EXPECT_EQ(parsed("http://h").path, "/");
  EXPECT_EQ(parsed("http://h").port, 0);
  EXPECT_EQ(parsed("http://h").effective_port(), 80);
  EXPECT_EQ(parsed("https://h").effective_port(), 443);
  EXPECT_EQ(parsed("https://h?a=b").text(), "https://h/?a=b");
}

TEST(Url, writes_ipv6_hosts_in_brackets) {
  const auto url = parsed("http://[0:0::1]:8080/x");
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.text(), "http://[::1]:8080/x");
}

TEST(Url, refuses_what_is_outside_the_grammar) {
  for (const std::string_view text : {"",
                                      "h",
                                      "/path",
                                      "http:",
                                      "http:///x",
                                      "http:/h",
                                      "ftp://h/",
                                      "file:///etc/passwd",
                                      "unix:/run/x",
                                      "http://user@h/",
                                      "http://user:secret@h/",
                                      "http://h:0/",
                                      "http://h:/",
                                      "http://h:65536/",
                                      "http://h:-1/",
                                      "http://h:8o/",
                                      "http://h /x",
                                      "http://h/a b",
                                      "http://h/\n",
                                      "http://h/%",
                                      "http://h/%g1",
                                      "http://h\\x/",
                                      "http://[::1/",
                                      "http://[v1.a]/",
                                      "http://h%41/",
                                      "http://a,b/",
                                      "http://127.1/",
                                      "http://0x7f000001/",
                                      "http://127.0.0.1.2/",
                                      "http://2130706433",
                                      "http://127.0.0.256/",
                                      "http://127.0.0.01/",
                                      "http://[::1]x/",
                                      "http://[::1%25eth0]/",
                                      "http://a..b/",
                                      "http://.a/",
                                      "http://[]/",
                                      "http://h/#%",
                                      "http://h/\xc3\xa4",
                                      "//h/x",
                                      "http://h\r\nX: y/"}) {
    const auto url = Url::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, NetError::bad_url) << text;
  }
  EXPECT_FALSE(Url::parse("http://h/" + std::string(20000, 'a')));
  EXPECT_FALSE(Url::parse("http://" + std::string(254, 'a') + "/"));
}

TEST(Url, never_repeats_more_of_a_bad_url_than_fits_a_line) {
  EXPECT_LT(Url::parse("nonsense " + std::string(5000, 'x')).error().message.size(), 300U);
}

TEST(Url, resolves_references_as_rfc_3986_section_5_4_does) {
  const auto base = parsed("http://a/b/c/d;p?q");
  const auto resolved = [&](std::string_view reference) { return base.resolve(reference).value_or(Url{}).text(); };
  EXPECT_EQ(resolved("g"), "http://a/b/c/g");
  EXPECT_EQ(resolved("./g"), "http://a/b/c/g");
  EXPECT_EQ(resolved("/g"), "http://a/g");
  EXPECT_EQ(resolved("//g"), "http://g/");
  EXPECT_EQ(resolved("?y"), "http://a/b/c/d;p?y");
  EXPECT_EQ(resolved("g?y#s"), "http://a/b/c/g?y");
  EXPECT_EQ(resolved("../../g"), "http://a/g");
  EXPECT_EQ(resolved("../../../g"), "http://a/g");
  EXPECT_EQ(resolved("../.."), "http://a/");
  EXPECT_EQ(resolved("./"), "http://a/b/c/");
  EXPECT_EQ(resolved("/./g/../x//y/."), "http://a/x//y/");
  EXPECT_EQ(resolved(""), "http://a/b/c/d;p?q");
  EXPECT_EQ(resolved("#s"), "http://a/b/c/d;p?q");
  EXPECT_EQ(resolved("g;x=1/../y"), "http://a/b/c/y");
  EXPECT_EQ(resolved("g?y/../x"), "http://a/b/c/g?y/../x");
  EXPECT_EQ(resolved("./a:b"), "http://a/b/c/a:b");
  EXPECT_EQ(resolved("https://h:1/x"), "https://h:1/x");
}

TEST(Url, refuses_references_that_lead_nowhere) {
  const auto base = parsed("http://a/b");
  for (const std::string_view reference : {"ftp://h/", "http://", "//u:p@h/", "a b", "\r\nX: y", "http://[::1/"}) {
    const auto url = base.resolve(reference);
    ASSERT_FALSE(url) << reference;
    EXPECT_EQ(url.error().code, NetError::bad_url) << reference;
  }
  EXPECT_FALSE(base.resolve(std::string(20000, 'a')));
}

TEST(Url, knows_loopback_addresses_only) {
  for (const auto* text :
       {"http://localhost", "http://LOCALHOST:1", "http://127.0.0.1", "http://127.255.3.4", "http://[::1]"}) {
    EXPECT_TRUE(parsed(text).is_loopback()) << text;
  }
  for (const auto* text : {"http://128.0.0.1", "http://localhost.evil", "http://127.0.0.1.evil", "http://127.evil",
                           "http://[::2]", "http://0.0.0.0"}) {
    EXPECT_FALSE(parsed(text).is_loopback()) << text;
  }
}

TEST(Url, origins_are_the_same_by_scheme_host_and_effective_port) {
  EXPECT_TRUE(parsed("http://H/a").same_origin(parsed("http://h:80/b")));
  EXPECT_FALSE(parsed("http://h/").same_origin(parsed("https://h/")));
  EXPECT_FALSE(parsed("http://h/").same_origin(parsed("http://h:81/")));
  EXPECT_FALSE(parsed("http://h/").same_origin(parsed("http://g/")));
}

TEST(PercentCoding, goes_round_for_every_byte) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const auto coded = percent_encode(all);
  EXPECT_TRUE(coded.contains("%00%01"));
  EXPECT_TRUE(coded.contains("-.") && coded.contains("~") && coded.contains("%2F") && coded.contains("%FF"));
  EXPECT_EQ(percent_decode(coded), all);
}

TEST(PercentCoding, refuses_a_percent_sign_without_two_digits) {
  for (const std::string_view text : {"%", "a%", "%4", "a%4", "%zz", "%4g", "%%41"}) {
    const auto decoded = percent_decode(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error().code, NetError::bad_url);
  }
}

TEST(ParseQuery, keeps_the_last_of_a_repeated_key) {
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(parse_query(""), Map{});
  EXPECT_EQ(parse_query("a=1&b=2&a=3"), (Map{{"a", "3"}, {"b", "2"}}));
  EXPECT_EQ(parse_query("a&b=&=c&&d=e=f"), (Map{{"a", ""}, {"b", ""}, {"", "c"}, {"d", "e=f"}}));
  EXPECT_EQ(parse_query("a+b=c%20d&x=%2B"), (Map{{"a b", "c d"}, {"x", "+"}}));
  EXPECT_FALSE(parse_query("a=%1"));
  EXPECT_FALSE(parse_query("%q=1"));
}

}  // namespace
}  // namespace coffer::net

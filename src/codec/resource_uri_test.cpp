#include "codec/resource_uri.h"

#include <gtest/gtest.h>

namespace coffer::codec {
namespace {

void expect_rejected(std::string_view text, ResourceUriError code) {
  const auto result = ResourceUri::parse(text);
  ASSERT_FALSE(result) << text;
  EXPECT_EQ(result.error().code, code) << text << ": " << result.error().message;
}

TEST(resource_uri, plain_uri_is_read_and_written_back) {
  const auto uri = ResourceUri::parse("kbs:///default/key/k1");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->plugin(), "resource");
  EXPECT_EQ(uri->host(), "");
  EXPECT_EQ(uri->path(), "default/key/k1");
  EXPECT_EQ(uri->text(), "kbs:///default/key/k1");
  EXPECT_EQ(uri->request_path(), "/kbs/v0/resource/default/key/k1");
}

TEST(resource_uri, host_port_plugin_and_query_are_kept) {
  const auto uri = ResourceUri::parse("kbs+nebula-ca://broker.example:8080/credential?ip=10.0.0.1/24&name=pod");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->plugin(), "nebula-ca");
  EXPECT_EQ(uri->host(), "broker.example:8080");
  EXPECT_EQ(uri->segments().size(), 1U);
  EXPECT_EQ(uri->query(), "ip=10.0.0.1/24&name=pod");
  EXPECT_EQ(uri->text(), "kbs+nebula-ca://broker.example:8080/credential?ip=10.0.0.1/24&name=pod");
}

TEST(resource_uri, the_resource_plugin_has_one_normal_text) {
  EXPECT_EQ(ResourceUri::parse("kbs+resource:///a/b/c").value(), ResourceUri::parse("kbs:///a/b/c").value());
}

TEST(resource_uri, paths_are_accepted_with_and_without_leading_slash) {
  EXPECT_EQ(ResourceUri::from_path("a/b/c").value(), ResourceUri::parse("kbs:///a/b/c").value());
  EXPECT_EQ(ResourceUri::parse_any("/a/b/c").value(), ResourceUri::parse_any("kbs:///a/b/c").value());
}

TEST(resource_uri, any_number_of_segments_is_accepted) {
  EXPECT_TRUE(ResourceUri::parse("kbs:///one"));
  EXPECT_TRUE(ResourceUri::parse("kbs:///one/two/three/four/five"));
}

TEST(resource_uri, other_schemes_are_refused) {
  expect_rejected("https:///a/b/c", ResourceUriError::wrong_scheme);
  expect_rejected("kbs+:///a/b/c", ResourceUriError::wrong_scheme);
  expect_rejected("kbs+a b:///a/b/c", ResourceUriError::wrong_scheme);
}

TEST(resource_uri, texts_that_are_no_uri_are_refused) {
  expect_rejected("", ResourceUriError::malformed);
  expect_rejected("a/b/c", ResourceUriError::malformed);
  expect_rejected("kbs://host", ResourceUriError::malformed);
  expect_rejected("kbs://ho st/a/b/c", ResourceUriError::malformed);
  expect_rejected("kbs:///a/b/c?x=\n", ResourceUriError::malformed);
}

TEST(resource_uri, segments_that_could_climb_or_hide_are_refused) {
  for (const auto* text : {"kbs:///", "kbs:///a//c", "kbs:///a/../c", "kbs:///a/./c", "kbs:///a/b/",
                           "kbs:///a/%2e%2e/c", "kbs:///a/b c/d", "kbs:///kbs:///a/b/c"}) {
    expect_rejected(text, ResourceUriError::bad_segment);
  }
}

TEST(resource_uri, very_long_texts_are_refused) {
  expect_rejected("kbs:///a/b/" + std::string(4096, 'c'), ResourceUriError::too_long);
}

}  // namespace
}  // namespace coffer::codec

#include "net/detail/redirect.h"

#include <gtest/gtest.h>

namespace coffer::net::detail {
namespace {

Hop hop(std::string_view url, std::string method = "GET") {
  return {.url = Url::parse(url).value_or(Url{}),
          .method = std::move(method),
          .headers = {{"Authorization", "Bearer t"}, {"Cookie", "a=b"}, {"Content-Type", "x"}, {"Accept", "y"}},
          .with_body = true};
}

HttpResponse redirect(int status, std::string location) {
  return {.status = status, .headers = {{"Location", std::move(location)}}};
}

TEST(Redirect, is_one_of_five_statuses_with_a_location) {
  for (const int status : {301, 302, 303, 307, 308}) EXPECT_TRUE(is_redirect(redirect(status, "/x"))) << status;
  for (const int status : {200, 201, 300, 304, 305, 306, 404})
    EXPECT_FALSE(is_redirect(redirect(status, "/x"))) << status;
  EXPECT_FALSE(is_redirect({.status = 302}));
}

TEST(Redirect, keeps_credentials_within_one_origin) {
  const auto next = follow(hop("https://h/a/b"), redirect(302, "../c"));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->url.text(), "https://h/c");
  EXPECT_EQ(next->headers.get("Authorization"), "Bearer t");
  EXPECT_EQ(next->headers.get("Cookie"), "a=b");
}

TEST(Redirect, drops_credentials_when_host_port_or_scheme_change) {
  for (const auto* target : {"https://g/a", "https://h:444/a", "//g/a"}) {
    const auto next = follow(hop("https://h/a"), redirect(307, target));
    ASSERT_TRUE(next) << target;
    EXPECT_FALSE(next->headers.get("Authorization")) << target;
    EXPECT_FALSE(next->headers.get("Cookie")) << target;
    EXPECT_EQ(next->headers.get("Accept"), "y") << target;
  }
  EXPECT_FALSE(follow(hop("http://h/a"), redirect(307, "https://h/a"))->headers.get("Authorization"));
}

TEST(Redirect, never_goes_from_https_to_http) {
  const auto next = follow(hop("https://h/a"), redirect(302, "http://h/a"));
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, NetError::redirect);
}

TEST(Redirect, a_location_that_is_no_url_is_an_error) {
  for (const auto* target : {"ftp://h/", "http://u:p@h/", "a b"}) {
    const auto next = follow(hop("http://h/a"), redirect(302, target));
    ASSERT_FALSE(next) << target;
    EXPECT_EQ(next.error().code, NetError::redirect) << target;
  }
}

TEST(Redirect, methods_and_bodies_follow_rfc_9110) {
  const auto method = [](int status, std::string from) {
    return follow(hop("http://h/", std::move(from)), redirect(status, "/x"))->method;
  };
  EXPECT_EQ(method(301, "POST"), "GET");
  EXPECT_EQ(method(302, "POST"), "GET");
  EXPECT_EQ(method(302, "PUT"), "PUT");
  EXPECT_EQ(method(303, "PUT"), "GET");
  EXPECT_EQ(method(303, "HEAD"), "HEAD");
  EXPECT_EQ(method(307, "POST"), "POST");
  EXPECT_EQ(method(308, "POST"), "POST");
  const auto next = follow(hop("http://h/", "POST"), redirect(303, "/x"));
  EXPECT_FALSE(next->with_body);
  EXPECT_FALSE(next->headers.get("Content-Type"));
}

}  // namespace
}  // namespace coffer::net::detail

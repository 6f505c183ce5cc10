#include "workload/http_allow.h"

#include <gtest/gtest.h>

namespace coffer::workload {
namespace {

TEST(HttpAllow, is_a_host_and_a_port_in_lower_case) {
  EXPECT_EQ(parse_http_allow("API.example-1:443").value(), "api.example-1:443");
  EXPECT_EQ(parse_http_allow("127.0.0.1:8080").value(), "127.0.0.1:8080");
  EXPECT_EQ(parse_http_allow("[::1]:8080").value(), "[::1]:8080");
}

TEST(HttpAllow, takes_no_pattern_no_address_and_no_default_port) {
  for (const auto* text : {"", "host", "host:", ":80", "host:0", "host:65536", "host:80x", "*:80", "*.example:80",
                           "http://host:80", "host:80/path", "user@host:80", "a b:80", "::1:80", "[]:80"}) {
    const auto parsed = parse_http_allow(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, WorkloadError::usage);
  }
}

}  // namespace
}  // namespace coffer::workload

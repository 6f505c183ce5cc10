#include "net/detail/response_reader.h"

#include <gtest/gtest.h>

namespace coffer::net::detail {
namespace {

ErrorCode code_of(std::initializer_list<std::string_view> lines) {
  ResponseReader reader;
  for (const auto line : lines) {
    if (const auto done = reader.line(line); !done) return done.error().code;
  }
  return NetError::cancelled;  // no error
}

TEST(ResponseReader, reads_status_and_fields) {
  ResponseReader reader;
  EXPECT_EQ(reader.line("HTTP/1.1 404 Not Found\r\n"), false);
  EXPECT_EQ(reader.line("Content-Type:\t text/plain  \r\n"), false);
  EXPECT_EQ(reader.line("X-Empty:\r\n"), false);
  EXPECT_EQ(reader.line("\r\n"), true);
  EXPECT_EQ(reader.response().status, 404);
  EXPECT_EQ(reader.response().headers.get("content-type"), "text/plain");
  EXPECT_EQ(reader.response().headers.get("x-empty"), "");
}

TEST(ResponseReader, passes_over_interim_responses_and_trailers) {
  ResponseReader reader;
  for (const auto* line : {"HTTP/1.1 103 Early Hints\r\n", "Link: x\r\n", "\r\n", "HTTP/1.1 200\r\n", "A: b\r\n"}) {
    EXPECT_EQ(reader.line(line), false) << line;
  }
  EXPECT_EQ(reader.line("\r\n"), true);
  EXPECT_EQ(reader.line("Trailer: x\r\n"), false);
  EXPECT_FALSE(reader.response().headers.get("Link"));
  EXPECT_FALSE(reader.response().headers.get("Trailer"));
  EXPECT_EQ(reader.response().headers.get("A"), "b");
}

TEST(ResponseReader, refuses_what_is_no_head) {
  const ErrorCode broken = NetError::protocol;
  EXPECT_EQ(code_of({"HTTP/1.1\r\n"}), broken);
  EXPECT_EQ(code_of({"HTTP/1.1 20\r\n"}), broken);
  EXPECT_EQ(code_of({"HTTP/1.1 abc OK\r\n"}), broken);
  EXPECT_EQ(code_of({"HTTP/1.1 042 OK\r\n"}), broken);
  EXPECT_EQ(code_of({"HTTP/1.1 200 OK\r\n", "no colon\r\n"}), broken);
  EXPECT_EQ(code_of({"HTTP/1.1 200 OK\r\n", "a b: c\r\n"}), broken);
  EXPECT_EQ(code_of({"HTTP/1.1 200 OK\r\n", "a: b\x01\r\n"}), broken);
}

TEST(ResponseReader, bounds_all_heads_together) {
  ResponseReader reader;
  const std::string line = "X: " + std::string(1000, 'x') + "\r\n";
  Result<bool> last = reader.line("HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 300 && last; ++i) last = reader.line(line);
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, NetError::too_large);
}

}  // namespace
}  // namespace coffer::net::detail

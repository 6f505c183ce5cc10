#include "net/detail/request_parser.h"

#include <gtest/gtest.h>

namespace coffer::net::detail {
namespace {

constexpr RequestLimits limits{.max_head_size = 4096, .max_body_size = 100};

// 0: a complete request; otherwise the status of the refusal; -1: more is awaited.
int verdict(std::string_view text) {
  RequestParser parser(limits);
  parser.put(text);
  if (parser.refusal()) return parser.refusal()->status;
  return parser.done() ? 0 : -1;
}

std::string with_fields(std::string_view fields, std::string_view line = "GET / HTTP/1.1") {
  return std::string{line} + "\r\nHost: h\r\n" + std::string{fields} + "\r\n";
}

TEST(RequestParser, gives_the_same_request_however_the_bytes_arrive) {
  const std::string text = with_fields("Transfer-Encoding: chunked\r\nX: y\r\n", "POST /a?b HTTP/1.1") +
                           "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: t\r\n\r\nGET /next";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    RequestParser parser(limits);
    std::string pending;
    std::size_t taken = 0;
    while (!parser.done() && taken < text.size()) {
      pending += text.substr(taken, step);
      taken = std::min(taken + step, text.size());
      pending.erase(0, parser.put(pending));
      ASSERT_FALSE(parser.refusal()) << parser.refusal()->text;
    }
    ASSERT_TRUE(parser.done()) << step;
    EXPECT_EQ(pending + text.substr(taken), "GET /next") << step;
    const auto request = parser.take();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/a");
    EXPECT_EQ(request.query, "b");
    EXPECT_EQ(as_text(request.body), "abcde");
    EXPECT_EQ(request.headers.get("X"), "y");
    EXPECT_EQ(request.headers.get("Trailer"), std::nullopt);
  }
}

TEST(RequestParser, passes_over_empty_lines_before_the_request) {
  EXPECT_EQ(verdict("\r\n\r\n" + with_fields("")), 0);
  RequestParser parser(limits);
  EXPECT_EQ(parser.put("\r"), 0U);
  EXPECT_FALSE(parser.started());
}

TEST(RequestParser, refuses_malformed_requests) {
  for (const std::string_view text :
       {"GET\r\n\r\n", "GET /\r\n\r\n", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", "G@T / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nNoColon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nX: a\nb\r\n\r\n",
        "GET /a\rb HTTP/1.1\r\nHost: h\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS instead of HTTP\r\n\r\n"}) {
    const int status = verdict(text);
    EXPECT_TRUE(status == 400 || status == 505) << text << " " << status;
  }
  const std::string nul(1, '\0');
  EXPECT_EQ(verdict(with_fields("X: a" + nul + "b\r\n")), 400);
  EXPECT_EQ(verdict(with_fields("", "GET /a" + nul + "b HTTP/1.1")), 400);
}

TEST(RequestParser, speaks_http_1_alone) {
  EXPECT_EQ(verdict("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(verdict("GET / HTTP/1.2\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(verdict("GET / HTTP/0.9\r\n\r\n"), 505);
  EXPECT_EQ(verdict("GET / HTTP/1.0\r\n\r\n"), 0);
}

TEST(RequestParser, wants_exactly_one_host) {
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(verdict(with_fields("Host: other\r\n")), 400);
}

TEST(RequestParser, refuses_every_ambiguous_length) {
  const auto post = [](std::string_view fields) {
    return verdict(with_fields(fields, "POST / HTTP/1.1") + "0\r\n\r\n");
  };
  EXPECT_EQ(post("Content-Length: 5\r\n"), 0);
  EXPECT_EQ(post("Transfer-Encoding: Chunked\r\n"), 0);
  EXPECT_EQ(post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(post("Content-Length: 5\r\nContent-Length: 6\r\n"), 400);
  EXPECT_EQ(post("Content-Length: 5, 5\r\n"), 400);
  EXPECT_EQ(post("Content-Length: +5\r\n"), 400);
  EXPECT_EQ(post("Content-Length: -5\r\n"), 400);
  EXPECT_EQ(post("Content-Length: 0x5\r\n"), 400);
  EXPECT_EQ(post("Content-Length: \r\n"), 400);
  EXPECT_EQ(post("Content-Length: 99999999999999999999999\r\n"), 400);
  EXPECT_EQ(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(post("Transfer-Encoding: identity\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(post("Transfer-Encoding: gzip, chunked\r\n"), 501);
  EXPECT_EQ(post("Transfer-Encoding: chunked, gzip\r\n"), 501);
  EXPECT_EQ(post("Transfer-Encoding: identity\r\n"), 501);
  EXPECT_EQ(post("Transfer-Encoding: xchunked\r\n"), 501);
  EXPECT_EQ(verdict("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
}

TEST(RequestParser, refuses_broken_chunks) {
  const auto chunked = [](std::string_view body) {
    return verdict(with_fields("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.1") + std::string{body});
  };
  EXPECT_EQ(chunked("3\r\nabc\r\n0\r\n\r\n"), 0);
  EXPECT_EQ(chunked("g\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(chunked("-1\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(chunked("3\r\nabcd\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(chunked("ffffffffffffffff1\r\n"), 400);
  EXPECT_EQ(chunked("ffffffffffffffff\r\n"), 413);
  EXPECT_EQ(chunked("3 \r\nabc\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(chunked(std::string(5000, '0')), 400);
  EXPECT_EQ(chunked("1;x=" + std::string(5000, 'a')), 400);
  EXPECT_EQ(chunked("0\r\nTrailer: " + std::string(5000, 'a')), 400);
}

TEST(RequestParser, refuses_bodies_over_the_limit) {
  EXPECT_EQ(verdict(with_fields("Content-Length: 100\r\n", "POST / HTTP/1.1")), -1);
  EXPECT_EQ(verdict(with_fields("Content-Length: 101\r\n", "POST / HTTP/1.1")), 413);
  const std::string chunk = "32\r\n" + std::string(50, 'x') + "\r\n";
  const auto head = with_fields("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.1");
  EXPECT_EQ(verdict(head + chunk + chunk + "0\r\n\r\n"), 0);
  EXPECT_EQ(verdict(head + chunk + chunk + "1\r\n"), 413);
}

TEST(RequestParser, refuses_heads_over_the_limit_of_any_shape) {
  EXPECT_EQ(verdict("GET /" + std::string(5000, 'a')), 431);
  EXPECT_EQ(verdict(std::string(5000, 'A')), 431);
  EXPECT_EQ(verdict(with_fields("X: " + std::string(5000, 'a') + "\r\n")), 431);
  std::string many;
  for (int i = 0; i < 250; ++i) many += "Xyz: 01234567890123456789\r\n";
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\n" + many), 431);
  std::string short_ones;
  for (int i = 0; i < 300; ++i) short_ones += "A:b\r\n";
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\n" + short_ones), 431);
}

TEST(RequestParser, an_endless_head_in_small_pieces_is_refused_too) {
  RequestParser parser(limits);
  std::string pending = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 1000 && !parser.refusal(); ++i) {
    pending += "Xyz: 0123456789012345678901234567890\r\n";
    pending.erase(0, parser.put(pending));
  }
  ASSERT_TRUE(parser.refusal());
  EXPECT_EQ(parser.refusal()->status, 431);
}

TEST(RequestParser, decodes_paths_strictly) {
  const auto get = [](std::string_view target) {
    return verdict(with_fields("", "GET " + std::string{target} + " HTTP/1.1"));
  };
  EXPECT_EQ(get("/a%20b?x=%zz"), 0);
  EXPECT_EQ(get("http://h/a"), 0);
  EXPECT_EQ(get("/%"), 400);
  EXPECT_EQ(get("/%4"), 400);
  EXPECT_EQ(get("/%zz"), 400);
  EXPECT_EQ(get("/%00"), 400);
  EXPECT_EQ(get("/%0d%0aX:%20y"), 400);
  EXPECT_EQ(get("/a#b"), 400);
  EXPECT_EQ(get("*"), 400);
  EXPECT_EQ(get("a"), 400);
  EXPECT_EQ(get("ftp://h/a"), 400);
  EXPECT_EQ(get("http://"), 400);
  EXPECT_EQ(verdict(with_fields("", "OPTIONS * HTTP/1.1")), 0);
  EXPECT_EQ(verdict("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
}

TEST(RequestParser, knows_when_to_keep_the_connection) {
  const auto keeps = [](std::string_view text) {
    RequestParser parser(limits);
    parser.put(text);
    return parser.keep_alive();
  };
  EXPECT_TRUE(keeps(with_fields("")));
  EXPECT_FALSE(keeps(with_fields("Connection: Close\r\n")));
  EXPECT_FALSE(keeps(with_fields("Connection: x, close\r\n")));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(RequestParser, expects_continue_only_where_a_body_follows) {
  const auto expects = [](std::string_view fields) {
    RequestParser parser(limits);
    parser.put(with_fields(fields, "POST / HTTP/1.1"));
    return parser.expects_continue();
  };
  EXPECT_TRUE(expects("Expect: 100-Continue\r\nContent-Length: 3\r\n"));
  EXPECT_FALSE(expects("Expect: 100-continue\r\nContent-Length: 0\r\n"));
  EXPECT_FALSE(expects("Content-Length: 3\r\n"));
  EXPECT_EQ(verdict(with_fields("Expect: payment\r\n")), 417);
}

}  // namespace
}  // namespace coffer::net::detail

#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <mutex>
#include <thread>

#include "net/http_server.h"
#include "net/raw_socket_testing.h"

namespace coffer::net {
namespace {

using namespace std::chrono_literals;
using testing::answering;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawServer;
using testing::RawSocket;
using ::testing::StartsWith;

std::shared_ptr<HttpClient> client() {
  return *HttpClient::create();
}

HttpRequest to(std::string url) {
  return {.url = std::move(url), .timeout = 5s};
}

// The code of what went wrong, or "none".
std::string code_of(const Result<HttpResponse>& result) {
  return result ? "none" : std::string{result.error().code.name()};
}

std::string code_for_answer(std::string answer) {
  RawServer server(answering(std::move(answer)));
  return code_of(client()->send(to(server.url())));
}

// What a request looks like on the wire.
std::string wire(HttpRequest request) {
  std::string seen;
  RawServer server([&](RawSocket& peer) {
    seen = peer.receive_response();  // a request has the same shape
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  request.url = server.url(request.url);
  const auto response = client()->send(request);
  EXPECT_TRUE(response) << to_string(response.error());
  return seen;
}

class Collecting final : public BodySink {
 public:
  Result<> on_head(const HttpResponse& head) override {
    ++heads;
    status = head.status;
    return {};
  }
  Result<> on_data(ByteView data) override {
    body += as_text(data);
    if (body.size() >= stop_at) return fail(NetError::cancelled, "the sink has enough");
    return {};
  }
  int heads = 0;
  int status = 0;
  std::string body;
  std::size_t stop_at = SIZE_MAX;
};

TEST(HttpClient, returns_status_headers_and_body) {
  RawServer server(
      answering("HTTP/1.1 418 Teapot\r\nX-One: 1\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 3\r\n\r\nabc"));
  const auto response = client()->send(to(server.url("/x?y=z")));
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->status, 418);
  EXPECT_EQ(response->headers.get("x-one"), "1");
  EXPECT_EQ(response->headers.get_all("Set-Cookie"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(as_text(response->body), "abc");
  EXPECT_EQ(response->final_url, server.url("/x?y=z"));
}

TEST(HttpClient, sends_what_it_is_told_and_nothing_that_it_is_not) {
  const auto get = wire({.url = "/a/../b?c=%20", .headers = {{"X-Empty", ""}, {"Authorization", "Bearer t"}}});
  EXPECT_THAT(get, StartsWith("GET /a/../b?c=%20 HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_THAT(get, HasSubstr("User-Agent: coffer\r\n"));
  EXPECT_THAT(get, HasSubstr("X-Empty:\r\n"));
  EXPECT_THAT(get, HasSubstr("Authorization: Bearer t\r\n"));
  EXPECT_THAT(get, Not(HasSubstr("Content-")));
  const auto post =
      wire({.method = "POST", .url = "/", .headers = {{"Content-Length", "99"}}, .body = to_bytes("body")});
  EXPECT_THAT(post, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(post, Not(HasSubstr("Content-Type")));
  EXPECT_THAT(post, Not(HasSubstr("Expect")));
  EXPECT_TRUE(post.ends_with("\r\n\r\nbody"));
  EXPECT_THAT(wire({.method = "PUT", .url = "/"}), HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(wire({.method = "POST", .url = "/"}), HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(wire({.method = "DELETE", .url = "/"}), StartsWith("DELETE / HTTP/1.1\r\n"));
  EXPECT_THAT(wire({.method = "HEAD", .url = "/"}), StartsWith("HEAD / HTTP/1.1\r\n"));
  EXPECT_THAT(wire({.method = "PATCH", .url = "/", .body = to_bytes("x")}), StartsWith("PATCH / HTTP/1.1\r\n"));
}

TEST(HttpClient, understands_chunks_trailers_interim_answers_and_bodies_to_the_end) {
  for (const auto* answer :
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\n\r\nabc", "HTTP/1.0 200 OK\r\n\r\nabc"}) {
    RawServer server(answering(answer));
    const auto response = client()->send(to(server.url()));
    ASSERT_TRUE(response) << answer;
    EXPECT_EQ(as_text(response->body), "abc") << answer;
    EXPECT_FALSE(response->headers.get("T"));
    EXPECT_FALSE(response->headers.get("Link"));
  }
}

TEST(HttpClient, does_not_wait_for_a_body_after_head) {
  RawServer server(answering("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"));
  auto request = to(server.url());
  request.method = "HEAD";
  const auto response = client()->send(request);
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(response->headers.get("Content-Length"), "99999999999");
}

TEST(HttpClient, leaves_content_codings_as_they_are) {
  RawServer server(answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"));
  const auto response = client()->send(to(server.url()));
  ASSERT_TRUE(response);
  EXPECT_EQ(as_text(response->body), "abc");
  EXPECT_THAT(wire({.url = "/"}), Not(HasSubstr("Accept-Encoding")));
}

TEST(HttpClient, uses_one_connection_for_many_requests_and_methods) {
  const auto server = *HttpServer::start({.sockets = {"127.0.0.1:0"}}, [](const ServerRequest& request) {
    return ServerResponse::text(200, "text/plain", request.peer);
  });
  const auto c = client();
  std::string first;
  for (const auto* method : {"GET", "POST", "HEAD", "DELETE", "PUT", "GET"}) {
    auto request = to("http://" + server->addresses()[0]);
    request.method = method;
    const auto response = c->send(request);
    ASSERT_TRUE(response) << to_string(response.error());
    if (first.empty()) first = as_text(response->body);
    if (request.method != "HEAD") EXPECT_EQ(as_text(response->body), first) << method;
  }
}

TEST(HttpClient, asks_again_by_itself_where_a_kept_connection_has_gone_stale) {
  RawServer server([](RawSocket& peer) {
    peer.receive_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");  // and closes, without having said so
  });
  const auto c = client();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(code_of(c->send(to(server.url()))), "none");
    std::this_thread::sleep_for(20ms);
  }
}

TEST(HttpClient, refuses_requests_that_http_cannot_carry) {
  const auto c = client();
  const auto code = [&](HttpRequest request) {
    if (request.url.empty()) request.url = "http://127.0.0.1:1/";
    return code_of(c->send(request));
  };
  EXPECT_EQ(code({.url = "ftp://h/"}), "net.bad_url");
  EXPECT_EQ(code({.url = "file:///etc/passwd"}), "net.bad_url");
  EXPECT_EQ(code({.url = "http://h/ x"}), "net.bad_url");
  EXPECT_EQ(code({.method = "G ET"}), "net.bad_message");
  EXPECT_EQ(code({.method = ""}), "net.bad_message");
  EXPECT_EQ(code({.headers = {{"X", "a\r\nY: b"}}}), "net.bad_message");
  EXPECT_EQ(code({.headers = {{"X: y\r\nZ", "a"}}}), "net.bad_message");
}

TEST(HttpClient, says_that_nothing_listens) {
  std::string address;
  {
    address = RawServer([](RawSocket&) {}).address();
  }
  const auto response = client()->send(to("http://" + address + "/"));
  EXPECT_EQ(code_of(response), "net.refused");
  EXPECT_THAT(response.error().message, HasSubstr(address));
}

TEST(HttpClient, says_that_a_name_has_no_address) {
  const auto response = client()->send(to("http://no-such-host.invalid/"));
  EXPECT_EQ(code_of(response), "net.unresolved");
  EXPECT_THAT(response.error().message, HasSubstr("no-such-host.invalid"));
}

TEST(HttpClient, says_that_the_peer_closed_before_or_within_its_answer) {
  EXPECT_EQ(code_for_answer(""), "net.unreachable");
  EXPECT_EQ(code_for_answer("HTTP/1.1 200 OK\r\nContent-Le"), "net.unreachable");
  EXPECT_EQ(code_for_answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), "net.unreachable");
  EXPECT_EQ(code_for_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), "net.unreachable");
  RawServer server([](RawSocket& peer) {
    peer.receive_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    std::this_thread::sleep_for(50ms);
    peer.reset();
  });
  EXPECT_EQ(code_of(client()->send(to(server.url()))), "net.unreachable");
}

TEST(HttpClient, says_that_an_answer_is_no_http) {
  EXPECT_EQ(code_for_answer("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "net.protocol");
  EXPECT_EQ(code_for_answer("HTTP/1.1 abc OK\r\n\r\n"), "net.protocol");
  EXPECT_EQ(code_for_answer("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), "net.protocol");
  EXPECT_EQ(code_for_answer("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"), "net.protocol");
  EXPECT_EQ(code_for_answer("<html>not a status line at all</html>"), "net.protocol");
}

TEST(HttpClient, bytes_behind_the_announced_length_do_not_reach_the_next_answer) {
  RawServer server(
      answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
  const auto c = client();
  for (int i = 0; i < 3; ++i) {
    const auto response = c->send(to(server.url()));
    ASSERT_TRUE(response) << to_string(response.error());
    EXPECT_EQ(as_text(response->body), "abc");
  }
}

TEST(HttpClient, ends_endless_headers_and_endless_interim_answers) {
  for (const std::string piece : {"X-Pad: 0123456789\r\n", "\r\nHTTP/1.1 100 Continue\r\n"}) {
    RawServer server([&](RawSocket& peer) {
      peer.receive_until("\r\n\r\n");
      peer.send("HTTP/1.1 100 Continue\r\n");
      for (int i = 0; i < 200000 && peer.send(piece); ++i) {
      }
    });
    EXPECT_EQ(code_of(client()->send(to(server.url()))), "net.too_large") << piece;
  }
}

TEST(HttpClient, refuses_answers_over_the_caller_s_limit_announced_or_not) {
  for (const auto* head : {"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"}) {
    RawServer server(answering(head + std::string(101, 'x')));
    auto request = to(server.url());
    request.max_response_size = 100;
    EXPECT_EQ(code_of(client()->send(request)), "net.too_large") << head;
    request.max_response_size = 101;
    EXPECT_EQ(code_of(client()->send(request)), "none") << head;
  }
}

TEST(HttpClient, gives_up_at_the_deadline) {
  RawServer server([](RawSocket& peer) { peer.receive_all(); });
  auto request = to(server.url());
  request.timeout = 80ms;
  const auto start = std::chrono::steady_clock::now();
  const auto response = client()->send(request);
  EXPECT_EQ(code_of(response), "net.timeout");
  EXPECT_THAT(response.error().message, HasSubstr(server.address()));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
  request.timeout = 0ms;
  EXPECT_EQ(code_of(client()->send(request)), "net.timeout");
}

TEST(HttpClient, gives_up_on_a_stream_that_stalls_long_before_its_deadline) {
  RawServer server([](RawSocket& peer) {
    peer.receive_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    peer.receive_all();
  });
  auto request = to(server.url());
  request.timeout = 60s;
  request.stall_timeout = 1s;
  Collecting sink;
  EXPECT_EQ(code_of(client()->stream(request, sink)), "net.timeout");
  EXPECT_EQ(sink.body, "abc");
}

TEST(HttpClient, streams_the_head_once_and_then_the_body) {
  const std::string body(5U << 20, 'z');
  RawServer server(
      answering("HTTP/1.1 206 Partial\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
  Collecting sink;
  const auto response = client()->stream(to(server.url()), sink);
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(sink.heads, 1);
  EXPECT_EQ(sink.status, 206);
  EXPECT_EQ(response->status, 206);
  EXPECT_TRUE(response->body.empty());
  EXPECT_EQ(sink.body, body);
}

TEST(HttpClient, an_error_of_the_sink_ends_the_stream_and_comes_back_unchanged) {
  RawServer server([](RawSocket& peer) {
    peer.receive_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    while (peer.send(std::string(65536, 'x'))) {
    }
  });
  Collecting sink;
  sink.stop_at = 100000;
  const auto response = client()->stream(to(server.url()), sink);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, NetError::cancelled);
  EXPECT_EQ(response.error().message, "the sink has enough");
}

TEST(HttpClient, an_exception_of_the_sink_passes_through_to_the_caller) {
  struct Throwing final : BodySink {
    Result<> on_head(const HttpResponse&) override { throw std::runtime_error("sink"); }
    Result<> on_data(ByteView) override { return {}; }
  } sink;
  RawServer server(answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  const auto c = client();
  EXPECT_THROW(static_cast<void>(c->stream(to(server.url()), sink)), std::runtime_error);
  EXPECT_EQ(code_of(c->send(to(server.url()))), "none");
}

TEST(HttpClient, uploads_from_a_source_piece_by_piece) {
  const auto server =
      *HttpServer::start({.sockets = {"127.0.0.1:0"}, .max_body_size = 8U << 20},
                         [](const ServerRequest& request) { return ServerResponse{.body = request.body}; });
  const std::uint64_t size = 3U << 20;
  std::uint64_t given = 0;
  auto request = to("http://" + server->addresses()[0]);
  request.method = "PUT";
  const auto response = client()->upload(request, size, [&](MutableByteView out) -> Result<std::size_t> {
    const auto count = std::min<std::size_t>({out.size(), 10000, size - given});
    std::ranges::fill(out.first(count), std::byte{'u'});
    given += count;
    return count;
  });
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(as_text(response->body), std::string(size, 'u'));
}

TEST(HttpClient, an_upload_whose_source_ends_early_or_fails_is_an_error) {
  const auto server =
      *HttpServer::start({.sockets = {"127.0.0.1:0"}}, [](const ServerRequest&) { return ServerResponse{}; });
  auto request = to("http://" + server->addresses()[0]);
  request.method = "PUT";
  EXPECT_EQ(code_of(client()->upload(request, 10, [](MutableByteView) -> Result<std::size_t> { return 0; })),
            "net.bad_message");
  EXPECT_EQ(code_of(client()->upload(
                request, 10, [](MutableByteView) -> Result<std::size_t> { return fail(NetError::cancelled, "x"); })),
            "net.cancelled");
}

TEST(HttpClient, an_upload_does_not_follow_redirects) {
  RawServer server(answering("HTTP/1.1 307 T\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n"));
  auto request = to(server.url());
  request.method = "PUT";
  request.max_redirects = 3;
  const auto response = client()->upload(request, 0, [](MutableByteView) -> Result<std::size_t> { return 0; });
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 307);
}

// Redirects each path "/n" to "/n+1" with a body, and answers "/end".
ServerResponse redirector(const ServerRequest& request) {
  if (request.path == "/end") {
    return ServerResponse::text(200, "text/plain",
                                request.method + " " + to_text(request.body) + " " +
                                    std::string{request.headers.get("Authorization").value_or("none")});
  }
  auto response = ServerResponse::text(307, "text/plain", std::string(100000, 'r'));
  response.headers.set("Location", request.query.empty() ? "/loop" : request.query);
  return response;
}

TEST(HttpClient, a_redirect_is_an_answer_unless_following_was_asked_for) {
  const auto server = *HttpServer::start({.sockets = {"127.0.0.1:0"}}, redirector);
  const auto response = client()->send(to("http://" + server->addresses()[0] + "/a?/end"));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 307);
  EXPECT_EQ(response->body.size(), 100000U);
}

TEST(HttpClient, follows_redirects_with_method_body_and_credentials_within_an_origin) {
  const auto server = *HttpServer::start({.sockets = {"127.0.0.1:0"}}, redirector);
  auto request = to("http://" + server->addresses()[0] + "/a?/end");
  request.method = "POST";
  request.body = to_bytes("data");
  request.headers.set("Authorization", "Bearer t");
  request.max_redirects = 1;
  Collecting sink;
  const auto response = client()->stream(request, sink);
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(sink.heads, 1);
  EXPECT_EQ(sink.body, "POST data Bearer t");
  EXPECT_EQ(response->final_url, "http://" + server->addresses()[0] + "/end");
}

TEST(HttpClient, leaves_credentials_behind_when_the_host_changes) {
  const auto server = *HttpServer::start({.sockets = {"127.0.0.1:0", "127.0.0.1:0"}}, redirector);
  auto request = to("http://" + server->addresses()[0] + "/a?http://" + server->addresses()[1] + "/end");
  request.headers.set("Authorization", "Bearer t");
  request.max_redirects = 1;
  const auto response = client()->send(request);
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(as_text(response->body), "GET  none");
}

TEST(HttpClient, ends_a_redirect_loop) {
  const auto server = *HttpServer::start({.sockets = {"127.0.0.1:0"}}, redirector);
  auto request = to("http://" + server->addresses()[0] + "/loop");
  request.max_redirects = 5;
  EXPECT_EQ(code_of(client()->send(request)), "net.redirect");
}

TEST(HttpClient, does_not_follow_to_other_schemes) {
  const auto server = *HttpServer::start({.sockets = {"127.0.0.1:0"}}, redirector);
  for (const auto* target : {"file:///etc/passwd", "gopher://127.0.0.1:1/", "http://user:pw@127.0.0.1/"}) {
    auto request = to("http://" + server->addresses()[0] + "/a?" + target);
    request.max_redirects = 5;
    EXPECT_EQ(code_of(client()->send(request)), "net.redirect") << target;
  }
}

TEST(HttpClient, asks_a_given_proxy_and_none_of_the_environment_for_loopback) {
  RawServer proxy(answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy"));
  const auto through = *HttpClient::create({.proxy = "http://" + proxy.address()});
  const auto response = through->send(to("http://registry.invalid/"));
  ASSERT_TRUE(response) << to_string(response.error());
  EXPECT_EQ(as_text(response->body), "proxy");

  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  RawServer direct(answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ndirect"));
  const auto here = client()->send(to(direct.url()));
  ::unsetenv("http_proxy");
  ASSERT_TRUE(here) << to_string(here.error());
  EXPECT_EQ(as_text(here->body), "direct");
}

}  // namespace
}  // namespace coffer::net

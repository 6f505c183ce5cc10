#include "net/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

#include "net/http_client.h"
#include "net/http_server_testing.h"
#include "net/raw_socket_testing.h"

namespace coffer::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(HttpServer, hands_method_path_query_headers_and_body_to_the_handler) {
  ServerRequest seen;
  const auto server = serve([&](const ServerRequest& request) {
    seen = request;
    return ServerResponse{};
  });
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send(
      "POST /a%20b/c?x=%31 HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
  EXPECT_THAT(socket.receive_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/a%20b/c?x=%31");
  EXPECT_EQ(seen.path, "/a b/c");
  EXPECT_EQ(seen.query, "x=%31");
  EXPECT_EQ(seen.headers.get("x-one"), "1");
  EXPECT_EQ(as_text(seen.body), "body");
  EXPECT_THAT(seen.peer, StartsWith("127.0.0.1:"));
  EXPECT_FALSE(seen.tls);
}

TEST(HttpServer, answers_with_date_length_and_the_handler_s_headers) {
  const auto server = serve([](const ServerRequest&) {
    auto response = ServerResponse::text(201, "application/json", "{}");
    response.headers.add("Set-Cookie", "a=1");
    response.headers.add("Set-Cookie", "b=2");
    response.headers.add("Content-Length", "77");
    response.headers.add("Transfer-Encoding", "chunked");
    return response;
  });
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send(last_get);
  const auto text = socket.receive_all();
  EXPECT_THAT(text, StartsWith("HTTP/1.1 201 Created\r\nDate: "));
  EXPECT_THAT(text, HasSubstr(" GMT\r\nContent-Type: application/json\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"));
  EXPECT_THAT(text, Not(HasSubstr("77")));
  EXPECT_THAT(text, Not(HasSubstr("chunked")));
}

TEST(HttpServer, keeps_a_connection_for_many_requests) {
  const auto server = serve();
  auto socket = RawSocket::connect(server->addresses()[0]);
  for (int i = 0; i < 20; ++i) {
    socket.send(get);
    const auto text = socket.receive_response();
    EXPECT_THAT(text, HasSubstr("Connection: keep-alive\r\n"));
    EXPECT_TRUE(text.ends_with("GET /a? ")) << text;
  }
}

TEST(HttpServer, answers_pipelined_requests_in_order) {
  const auto text = answer_to(
      "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
      "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const auto first = text.find("POST /1? abc");
  const auto second = text.find("GET /2? ");
  const auto third = text.find("POST /3? xyz");
  const auto fourth = text.find("GET /4? ");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_LT(third, fourth);
  EXPECT_NE(fourth, std::string::npos);
}

TEST(HttpServer, closes_after_http_1_0_unless_asked_to_stay) {
  EXPECT_THAT(answer_to("GET /a HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close\r\n"));
  const auto server = serve();
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(socket.receive_response(), HasSubstr("Connection: keep-alive\r\n"));
}

TEST(HttpServer, leaves_the_body_out_of_answers_to_head) {
  const auto text = answer_to("HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(text, HasSubstr("Content-Length: 9\r\n"));
  EXPECT_TRUE(text.ends_with("\r\n\r\n")) << text;
}

TEST(HttpServer, sends_no_body_and_no_length_with_204) {
  const auto server = serve([](const ServerRequest&) { return ServerResponse::text(204, "text/plain", "never"); });
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send(last_get);
  const auto text = socket.receive_all();
  EXPECT_THAT(text, Not(HasSubstr("never")));
  EXPECT_THAT(text, Not(HasSubstr("Content-Length")));
}

TEST(HttpServer, an_exception_in_a_handler_is_500_without_detail) {
  const auto server = serve([](const ServerRequest& request) -> ServerResponse {
    if (request.path == "/int") throw 7;
    throw std::runtime_error("the secret is 1234");
  });
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send(get);
  const auto text = socket.receive_response();
  EXPECT_THAT(text, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(text, Not(HasSubstr("1234")));
  socket.send("GET /int HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(socket.receive_response(), StartsWith("HTTP/1.1 500 "));
}

TEST(HttpServer, an_impossible_response_of_a_handler_is_500) {
  const auto server = serve([](const ServerRequest& request) {
    auto response = ServerResponse::text(200, "text/plain", "");
    if (request.path == "/status") response.status = 0;
    if (request.path == "/split") response.headers.add("X", "a\r\nSet-Cookie: evil=1");
    if (request.path == "/name") response.headers.add("X:Y", "a");
    return response;
  });
  for (const std::string_view path : {"/status", "/split", "/name"}) {
    auto socket = RawSocket::connect(server->addresses()[0]);
    socket.send("GET " + std::string{path} + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const auto text = socket.receive_all();
    EXPECT_THAT(text, StartsWith("HTTP/1.1 500 ")) << path;
    EXPECT_THAT(text, Not(HasSubstr("evil"))) << path;
  }
}

TEST(HttpServer, a_full_pool_answers_503_with_retry_after_and_keeps_the_connection) {
  auto options = quick_options();
  options.workers = 1;
  options.max_queue = 0;
  std::latch entered(1);
  std::latch release(1);
  const auto server = serve(
      [&](const ServerRequest& request) {
        if (request.path == "/slow") {
          entered.count_down();
          release.wait();
        }
        return echo(request);
      },
      std::move(options));
  auto slow = RawSocket::connect(server->addresses()[0]);
  slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  entered.wait();
  auto other = RawSocket::connect(server->addresses()[0]);
  other.send(get);
  const auto text = other.receive_response();
  EXPECT_THAT(text, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(text, HasSubstr("Retry-After: 1\r\n"));
  release.count_down();
  EXPECT_THAT(slow.receive_response(), StartsWith("HTTP/1.1 200 "));
  // The worker is free an instant after its answer has left.
  std::string later;
  for (int i = 0; i < 100 && !later.starts_with("HTTP/1.1 200 "); ++i) {
    other.send(get);
    later = other.receive_response();
  }
  EXPECT_THAT(later, StartsWith("HTTP/1.1 200 "));
}

TEST(HttpServer, turns_connections_over_the_limit_away) {
  auto options = quick_options();
  options.max_connections = 2;
  const auto server = serve(echo, std::move(options));
  {
    auto first = RawSocket::connect(server->addresses()[0]);
    auto second = RawSocket::connect(server->addresses()[0]);
    for (auto* socket : {&first, &second}) {
      socket->send(get);
      EXPECT_THAT(socket->receive_response(), StartsWith("HTTP/1.1 200 "));
    }
    auto third = RawSocket::connect(server->addresses()[0]);
    EXPECT_THAT(third.receive_all(), StartsWith("HTTP/1.1 503 "));
  }
  // Their places are free again as soon as the server has seen them go.
  for (int i = 0; i < 100; ++i) {
    auto later = RawSocket::connect(server->addresses()[0]);
    later.send(last_get);
    if (later.receive_all().starts_with("HTTP/1.1 200 ")) return;
    std::this_thread::sleep_for(20ms);
  }
  FAIL() << "no place became free";
}

TEST(HttpServer, stop_waits_for_a_running_request_and_answers_it) {
  std::latch entered(1);
  const auto server = serve([&](const ServerRequest& request) {
    entered.count_down();
    std::this_thread::sleep_for(150ms);
    return echo(request);
  });
  auto idle = RawSocket::connect(server->addresses()[0]);
  auto busy = RawSocket::connect(server->addresses()[0]);
  busy.send(get);
  entered.wait();
  const auto start = std::chrono::steady_clock::now();
  std::jthread stopper([&] { server->stop(); });
  const auto text = busy.receive_all();
  stopper.join();
  EXPECT_THAT(text, HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(text.ends_with("GET /a? ")) << text;
  EXPECT_EQ(idle.receive_all(), "");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 8s);
  server->stop();
}

TEST(HttpServer, stop_cuts_what_outlasts_the_grace) {
  auto options = quick_options();
  options.shutdown_grace = 30ms;
  std::latch entered(1);
  const auto server = serve(
      [&](const ServerRequest& request) {
        entered.count_down();
        std::this_thread::sleep_for(300ms);
        return echo(request);
      },
      std::move(options));
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send(get);
  entered.wait();
  server->stop();
  EXPECT_EQ(socket.receive_all(), "");
}

TEST(HttpServer, serves_several_addresses_on_several_threads) {
  auto options = quick_options();
  options.sockets = {"127.0.0.1:0", "[::1]:0", "localhost:0"};
  options.io_threads = 3;
  const auto server = serve(echo, std::move(options));
  ASSERT_EQ(server->addresses().size(), 3U);
  EXPECT_THAT(server->addresses()[1], StartsWith("[::1]:"));
  const auto client = *HttpClient::create();
  for (const auto& address : server->addresses()) {
    for (int i = 0; i < 4; ++i) {
      const auto response = client->send({.url = "http://" + address + "/x"});
      ASSERT_TRUE(response) << to_string(response.error());
      EXPECT_EQ(as_text(response->body), "GET /x? ");
    }
  }
}

TEST(HttpServer, an_address_in_use_is_an_error_that_names_it) {
  const auto server = serve();
  auto options = quick_options();
  const auto address = server->addresses()[0];
  options.sockets = {address};
  const auto second = HttpServer::start(std::move(options), echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, NetError::address_in_use);
  EXPECT_THAT(second.error().message, HasSubstr(address));
}

TEST(HttpServer, refuses_options_it_cannot_serve_with) {
  const auto code_of = [](const auto& change) {
    auto options = quick_options();
    change(options);
    const auto server = HttpServer::start(std::move(options), echo);
    return server ? ErrorCode{NetError::protocol} : server.error().code;
  };
  const ErrorCode bad = NetError::bad_configuration;
  for (const auto* address :
       {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80"}) {
    EXPECT_EQ(code_of([&](ServerOptions& o) { o.sockets = {address}; }), bad) << address;
  }
  EXPECT_EQ(code_of([](ServerOptions& o) { o.sockets.clear(); }), bad);
  EXPECT_EQ(code_of([](ServerOptions& o) { o.sockets = {"192.0.2.1:0"}; }), bad);
  EXPECT_EQ(code_of([](ServerOptions& o) { o.sockets = {"no.such.host.invalid:0"}; }), bad);
  EXPECT_EQ(code_of([](ServerOptions& o) { o.max_connections = 0; }), bad);
  EXPECT_EQ(code_of([](ServerOptions& o) { o.max_head_size = 0; }), bad);
  EXPECT_EQ(code_of([](ServerOptions& o) { o.idle_timeout = 0ms; }), bad);
  EXPECT_EQ(HttpServer::start(quick_options(), Handler{}).error().code, bad);
}

TEST(Termination, a_blocked_signal_waits_to_be_asked_for) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  block_termination_signals();
  for (const int signal : {SIGTERM, SIGINT}) {
    pthread_kill(pthread_self(), signal);
    EXPECT_EQ(wait_for_termination(), signal);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(HttpServer, many_clients_at_once_each_get_their_own_answer) {
  auto options = quick_options();
  options.io_threads = 2;
  options.workers = 3;
  const auto server = serve(echo, std::move(options));
  const auto client = *HttpClient::create();
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const auto path = "/" + std::to_string(t) + "-" + std::to_string(i);
          const auto response = client->send({.url = "http://" + server->addresses()[0] + path});
          if (response && as_text(response->body) == "GET " + path + "? ") ++good;
        }
      });
    }
  }
  EXPECT_EQ(good, 400);
}

}  // namespace
}  // namespace coffer::net

// Sizes and times that a server holds its peers to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/http_server.h"
#include "net/http_server_testing.h"
#include "net/raw_socket_testing.h"

namespace coffer::net {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(HttpServer, says_continue_before_it_waits_for_the_body) {
  const auto server = serve();
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(socket.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("body");
  EXPECT_THAT(socket.receive_all(), HasSubstr("POST /a? body"));
}

TEST(HttpServer, refuses_a_too_large_body_before_it_says_continue) {
  auto options = quick_options();
  options.max_body_size = 10;
  const auto text = answer_to("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n",
                              std::move(options));
  EXPECT_THAT(text, StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, lets_a_service_word_its_own_refusals) {
  auto options = quick_options();
  options.max_body_size = 10;
  options.refusal = [](int status, std::string_view why) {
    return ServerResponse::text(status, "application/json", "{\"why\":\"" + std::string{why} + "\"}");
  };
  const auto text = answer_to("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n", std::move(options));
  EXPECT_THAT(text, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(text, HasSubstr("application/json"));
  EXPECT_THAT(text, HasSubstr("{\"why\":\"the request body is too large\"}"));
}

TEST(HttpServer, takes_big_bodies_up_to_its_limit) {
  auto options = quick_options();
  options.max_body_size = 8U << 20;
  const auto server =
      serve([](const ServerRequest& request) { return ServerResponse{.body = request.body}; }, std::move(options));
  const std::string body(8U << 20, 'x');
  auto socket = RawSocket::connect(server->addresses()[0]);
  std::jthread sender([&] {
    socket.send("PUT /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n");
    socket.send(body);
  });
  const auto text = socket.receive_all();
  EXPECT_THAT(text.substr(0, 20), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_TRUE(text.ends_with(body));
}

TEST(HttpServer, a_sender_of_too_large_a_body_reads_413_while_it_is_still_sending) {
  auto options = quick_options();
  options.max_body_size = 1024;
  const auto server = serve(echo, std::move(options));
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4194304\r\n\r\n");
  socket.send(std::string(4U << 20, 'x'));
  socket.finish_sending();
  EXPECT_THAT(socket.receive_all(), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, answers_431_to_a_head_over_its_limit) {
  auto options = quick_options();
  options.max_head_size = 1000;
  EXPECT_THAT(answer_to("GET /a HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", std::move(options)),
              StartsWith("HTTP/1.1 431 "));
}

TEST(HttpServer, answers_408_to_a_head_that_does_not_end) {
  auto options = quick_options();
  options.head_timeout = 60ms;
  EXPECT_THAT(answer_to("GET /a HTTP/1.1\r\nHos", std::move(options)), StartsWith("HTTP/1.1 408 "));
}

TEST(HttpServer, answers_408_to_a_body_that_does_not_end) {
  auto options = quick_options();
  options.body_timeout = 60ms;
  EXPECT_THAT(answer_to("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", std::move(options)),
              StartsWith("HTTP/1.1 408 "));
}

TEST(HttpServer, a_head_dripping_byte_by_byte_is_cut_all_the_same) {
  auto options = quick_options();
  options.head_timeout = 100ms;
  const auto server = serve(echo, std::move(options));
  auto socket = RawSocket::connect(server->addresses()[0]);
  const auto start = std::chrono::steady_clock::now();
  std::jthread drip([&](const std::stop_token& stop) {
    for (int i = 0; i < 400 && !stop.stop_requested(); ++i) {
      if (!socket.send("G")) return;
      std::this_thread::sleep_for(10ms);
    }
  });
  EXPECT_THAT(socket.receive_all(), StartsWith("HTTP/1.1 408 "));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(HttpServer, closes_a_silent_connection_without_a_word) {
  auto options = quick_options();
  options.head_timeout = 50ms;
  EXPECT_EQ(answer_to("", std::move(options)), "");
}

TEST(HttpServer, closes_an_idle_connection_after_the_idle_timeout) {
  auto options = quick_options();
  options.idle_timeout = 50ms;
  const auto server = serve(echo, std::move(options));
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send(get);
  socket.receive_response();
  EXPECT_EQ(socket.receive_all(), "");
}

TEST(HttpServer, a_reader_that_never_reads_is_cut) {
  auto options = quick_options();
  options.body_timeout = 100ms;
  const auto server =
      serve([](const ServerRequest&) { return ServerResponse{.body = Bytes(64U << 20)}; }, std::move(options));
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send(get);
  std::this_thread::sleep_for(400ms);
  EXPECT_LT(socket.receive_all().size(), 64U << 20);
}

TEST(HttpServer, answers_a_peer_that_has_finished_sending) {
  const auto server = serve();
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send(get);
  socket.finish_sending();
  EXPECT_THAT(socket.receive_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(HttpServer, survives_a_peer_that_vanishes) {
  const auto server = serve([](const ServerRequest&) {
    std::this_thread::sleep_for(30ms);
    return ServerResponse{.body = Bytes(1U << 20)};
  });
  for (const auto text : {std::string_view{"GET /a HT"}, get, std::string_view{"POST / HTTP/1.1\r\nContent-Le"}}) {
    auto socket = RawSocket::connect(server->addresses()[0]);
    socket.send(text);
    socket.reset();
  }
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send(last_get);
  EXPECT_THAT(socket.receive_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace coffer::net

// Servers for tests: on a free port, with timeouts that a test shortens where it is about them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "net/http_server.h"
#include "net/raw_socket_testing.h"

namespace coffer::net::testing {

inline ServerOptions quick_options() {
  ServerOptions options;
  options.sockets = {"127.0.0.1:0"};
  options.head_timeout = std::chrono::seconds{9};
  options.body_timeout = std::chrono::seconds{9};
  options.idle_timeout = std::chrono::seconds{9};
  options.shutdown_grace = std::chrono::seconds{9};
  return options;
}

inline ServerResponse echo(const ServerRequest& request) {
  return ServerResponse::text(200, "text/plain",
                              request.method + " " + request.path + "?" + request.query + " " + to_text(request.body));
}

inline std::unique_ptr<HttpServer> serve(Handler handler = echo, ServerOptions options = quick_options()) {
  auto server = HttpServer::start(std::move(options), std::move(handler));
  EXPECT_TRUE(server) << to_string(server.error());
  return *std::move(server);
}

// What a server with `options` says to `text`, until it closes.
inline std::string answer_to(std::string_view text, ServerOptions options = quick_options()) {
  const auto server = serve(echo, std::move(options));
  auto socket = RawSocket::connect(server->addresses()[0]);
  socket.send(text);
  return socket.receive_all();
}

inline constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
inline constexpr std::string_view last_get = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

}  // namespace coffer::net::testing

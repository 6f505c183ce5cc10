// The floor under every service: requests a second over loopback with a handler that does nothing. `--benchmark_filter`
// picks one; client threads share the processor with the server.
#include <benchmark/benchmark.h>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/raw_socket_testing.h"

namespace coffer::net {
namespace {

std::unique_ptr<HttpServer> serve(std::size_t answer_size) {
  ServerOptions options{.sockets = {"127.0.0.1:0"}, .workers = 2};
  return *HttpServer::start(std::move(options), [body = Bytes(answer_size, std::byte{'x'})](const ServerRequest&) {
    return ServerResponse{.headers = {{"Content-Type", "application/octet-stream"}}, .body = body};
  });
}

constexpr std::string_view request = "GET /kbs/v0/resource/default/key/k1 HTTP/1.1\r\nHost: localhost\r\n\r\n";

// One request after the other over a raw socket: what a round trip costs.
void round_trip(benchmark::State& state) {
  const auto server = serve(static_cast<std::size_t>(state.range(0)));
  auto socket = testing::RawSocket::connect(server->addresses()[0]);
  for (auto _ : state) {
    socket.send(request);
    benchmark::DoNotOptimize(socket.receive_response());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(round_trip)->Arg(100)->Arg(4096)->UseRealTime();

// Several connections at once: what the server sustains.
void concurrent(benchmark::State& state) {
  static std::unique_ptr<HttpServer> server;
  if (state.thread_index() == 0) server = serve(100);
  std::unique_ptr<testing::RawSocket> socket;
  for (auto _ : state) {
    if (!socket) socket = std::make_unique<testing::RawSocket>(testing::RawSocket::connect(server->addresses()[0]));
    socket->send(request);
    benchmark::DoNotOptimize(socket->receive_response());
  }
  state.SetItemsProcessed(state.iterations());
  socket.reset();
  if (state.thread_index() == 0) server.reset();
}
BENCHMARK(concurrent)->Threads(8)->UseRealTime();

// The same through our client, whose cost every guest pays.
void through_the_client(benchmark::State& state) {
  const auto server = serve(100);
  const auto client = *HttpClient::create();
  const HttpRequest get{.url = "http://" + server->addresses()[0] + "/x"};
  for (auto _ : state) benchmark::DoNotOptimize(client->send(get));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(through_the_client)->UseRealTime();

}  // namespace
}  // namespace coffer::net

BENCHMARK_MAIN();

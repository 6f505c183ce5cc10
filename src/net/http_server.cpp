#include "net/http_server.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <mutex>
#include <thread>

#include "net/detail/connection.h"
#include "net/detail/io_thread.h"
#include "net/detail/listener.h"
#include "net/detail/tls_context.h"
#include "net/detail/worker_pool.h"

namespace coffer::net {
namespace {

constexpr Duration stop_poll = std::chrono::milliseconds{10};

// A timeout comes at most a quarter late.
std::chrono::milliseconds sweep_interval(const ServerOptions& options) {
  const auto shortest = std::min({options.head_timeout, options.body_timeout, options.idle_timeout});
  return std::clamp(shortest / 4, Duration{2}, Duration{500});
}

Result<> check(const ServerOptions& options, const Handler& handler) {
  const auto positive = [](Duration duration) { return duration > Duration{0}; };
  if (!handler) return fail(NetError::bad_configuration, "a server needs a handler");
  if (options.sockets.empty()) return fail(NetError::bad_configuration, "a server needs an address to listen on");
  if (options.max_head_size == 0 || options.max_connections == 0) {
    return fail(NetError::bad_configuration, "max_head_size and max_connections must be above 0");
  }
  if (options.client_certificates && !options.tls) {
    return fail(NetError::bad_configuration, "client certificates need a server with TLS");
  }
  if (!positive(options.head_timeout) || !positive(options.body_timeout) || !positive(options.idle_timeout)) {
    return fail(NetError::bad_configuration, "the timeouts of a server must be above 0");
  }
  return {};
}

}  // namespace

struct HttpServer::Impl {
  Impl(ServerOptions options, Handler handler)
      : shared{.options = std::move(options),
               .handler = std::move(handler),
               .pool{shared.options.workers, shared.options.max_queue}} {
    const auto interval = sweep_interval(shared.options);
    for (unsigned i = 0; i < std::max(shared.options.io_threads, 1U); ++i) {
      threads.push_back(std::make_unique<detail::IoThread>(interval));
    }
  }

  Result<> open();
  void start();
  void stop();
  void on_each_connection(void (detail::Connection::*action)());
  void wait_for_connections(std::chrono::steady_clock::time_point until, void (detail::Connection::*action)());

  detail::ServerShared shared;
  std::vector<std::unique_ptr<detail::IoThread>> threads;
  std::vector<std::unique_ptr<detail::Listener>> listeners;
  std::vector<std::string> addresses;
  std::size_t next = 0;
  std::once_flag stopped;
};

Result<> HttpServer::Impl::open() {
  if (shared.options.tls) {
    shared.tls = TRY(detail::make_tls_context(*shared.options.tls, shared.options.client_certificates));
  }
  // Listeners live on the first thread, and so does `next`.
  const auto next_thread = [this]() -> detail::IoThread& { return *threads[next++ % threads.size()]; };
  for (const auto& address : shared.options.sockets) {
    auto listener = TRY(detail::Listener::open(address, *threads.front(), shared, next_thread));
    addresses.push_back(listener->address());
    listeners.push_back(std::move(listener));
  }
  return {};
}

void HttpServer::Impl::start() {
  for (auto& listener : listeners) listener->start();
  for (auto& thread : threads) thread->start();
}

void HttpServer::Impl::on_each_connection(void (detail::Connection::*action)()) {
  for (auto& thread : threads) {
    boost::asio::post(thread->context(), [&thread = *thread, action] {
      const std::vector<detail::Connection*> all(thread.connections().begin(), thread.connections().end());
      for (auto* connection : all) (connection->*action)();
    });
  }
}

// Repeats `action`, because a connection that was busy a moment ago may be idle now.
void HttpServer::Impl::wait_for_connections(std::chrono::steady_clock::time_point until,
                                            void (detail::Connection::*action)()) {
  while (shared.connections > 0 && std::chrono::steady_clock::now() < until) {
    on_each_connection(action);
    std::this_thread::sleep_for(stop_poll);
  }
}

void HttpServer::Impl::stop() {
  shared.stopping = true;
  for (auto& listener : listeners) listener->close();
  wait_for_connections(std::chrono::steady_clock::now() + shared.options.shutdown_grace,
                       &detail::Connection::stop_if_idle);
  on_each_connection(&detail::Connection::abort);
  shared.pool.stop();
  wait_for_connections(std::chrono::steady_clock::time_point::max(), &detail::Connection::abort);
  for (auto& thread : threads) thread->stop();
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() {
  stop();
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(ServerOptions options, Handler handler) {
  TRY(check(options, handler));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler));
  TRY(impl->open());
  impl->start();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

const std::vector<std::string>& HttpServer::addresses() const {
  return impl_->addresses;
}

void HttpServer::stop() {
  std::call_once(impl_->stopped, [this] { impl_->stop(); });
}

}  // namespace coffer::net

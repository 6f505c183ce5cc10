#include "net/detail/listener.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>
#include <tuple>

#include "base/log.h"
#include "net/detail/response_head.h"

namespace coffer::net::detail {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int backlog = 1024;
constexpr Duration pause_after_failure = std::chrono::milliseconds{100};
constexpr Duration complaint_interval = std::chrono::seconds{1};

struct HostPort {
  std::string host;
  std::uint16_t port;
};

Result<HostPort> split(std::string_view address) {
  const auto bad = [&] {
    return fail(NetError::bad_configuration,
                "expected an address such as 127.0.0.1:8080 or [::1]:8080, got \"" + std::string{address} + "\"");
  };
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad();
  auto host = address.substr(0, colon);
  const auto digits = address.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.contains(':')) {
    return bad();
  }
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (ec != std::errc{} || end != digits.data() + digits.size()) return bad();
  return HostPort{std::string{host}, port};
}

Result<tcp::endpoint> resolve(asio::io_context& context, const HostPort& where) {
  error_code ec;
  if (const auto address = asio::ip::make_address(where.host, ec); !ec) return tcp::endpoint{address, where.port};
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(where.host, std::to_string(where.port), ec);
  if (ec || found.empty()) {
    return fail(NetError::bad_configuration,
                "the listening address " + where.host + " does not resolve: " + ec.message());
  }
  return found.begin()->endpoint();
}

Result<tcp::acceptor> listen_on(asio::io_context& context, const tcp::endpoint& endpoint) {
  try {
    tcp::acceptor acceptor(context, endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address{true});
    // So that 0.0.0.0 and [::] can be given side by side.
    if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only{true});
    acceptor.bind(endpoint);
    acceptor.listen(backlog);
    return acceptor;
  } catch (const boost::system::system_error& e) {
    const auto code = e.code() == asio::error::address_in_use ? NetError::address_in_use : NetError::bad_configuration;
    return fail(code, "cannot listen on " + endpoint_text(endpoint) + ": " + e.code().message());
  }
}

}  // namespace

Listener::Listener(Acceptor acceptor, std::string address, IoThread& home, ServerShared& shared,
                   std::function<IoThread&()> next_thread)
    : acceptor_(std::move(acceptor)),
      address_(std::move(address)),
      home_(home),
      shared_(shared),
      next_thread_(std::move(next_thread)),
      pause_(home.context()) {}

Result<std::unique_ptr<Listener>> Listener::open(std::string_view address, IoThread& home, ServerShared& shared,
                                                 std::function<IoThread&()> next_thread) {
  const auto where = TRY(split(address));
  const auto endpoint = TRY(resolve(home.context(), where));
  auto acceptor = TRY(listen_on(home.context(), endpoint));
  error_code ec;
  auto bound = endpoint_text(acceptor.local_endpoint(ec));
  return std::unique_ptr<Listener>(
      new Listener(std::move(acceptor), std::move(bound), home, shared, std::move(next_thread)));
}

void Listener::start() {
  asio::co_spawn(home_.context(), accept_loop(), [this](const std::exception_ptr&) { ended_.set_value(); });
}

void Listener::close() {
  asio::post(home_.context(), [this] {
    error_code ignored;
    std::ignore = acceptor_.close(ignored);
    pause_.cancel();
  });
  ended_.get_future().wait();
}

asio::awaitable<void> Listener::accept_loop() {
  constexpr auto awaiting = asio::as_tuple(asio::use_awaitable);
  while (acceptor_.is_open()) {
    IoThread& thread = next_thread_();
    auto [ec, socket] = co_await acceptor_.async_accept(thread.context(), awaiting);
    if (!acceptor_.is_open()) co_return;
    if (!ec) {
      take(std::move(socket), thread);
      continue;
    }
    // Out of file descriptors, mostly: the pending connection stays pending, so asking again at once would spin.
    log::warn("net.accept_failed", ec.message(), {{"address", address_}});
    pause_.expires_after(pause_after_failure);
    co_await pause_.async_wait(awaiting);
  }
}

void Listener::take(tcp::socket socket, IoThread& thread) {
  if (shared_.connections >= shared_.options.max_connections) {
    turn_away(std::move(socket));
    return;
  }
  auto connection = std::make_shared<Connection>(shared_, thread, std::move(socket));
  asio::co_spawn(thread.context(), Connection::run(std::move(connection)), asio::detached);
}

// One attempt to say why, without waiting: this must cost less than serving would.
void Listener::turn_away(tcp::socket socket) {
  if (const auto now = std::chrono::steady_clock::now(); now - last_complaint_ > complaint_interval) {
    last_complaint_ = now;
    log::warn("net.too_many_connections", "", {{"limit", std::to_string(shared_.options.max_connections)}});
  }
  if (shared_.tls != nullptr) return;
  const auto response = overloaded_answer();
  const auto text = response_head(response, {.date = home_.http_date()}) + to_text(response.body);
  error_code ignored;
  std::ignore = socket.non_blocking(true, ignored);
  std::ignore = socket.write_some(asio::const_buffer{text.data(), text.size()}, ignored);
  std::ignore = socket.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace coffer::net::detail

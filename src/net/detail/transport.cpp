#include "net/detail/transport.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace coffer::net::detail {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Errors are values here: an exception a closed connection would be a gift to whoever closes many.
constexpr auto awaiting = asio::as_tuple(asio::use_awaitable);

}  // namespace

Transport::Transport(Socket socket, asio::ssl::context* tls) {
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
  if (tls != nullptr) {
    tls_.emplace(std::move(socket), *tls);
  } else {
    plain_.emplace(std::move(socket));
  }
}

std::string Transport::peer() const {
  error_code ec;
  const auto endpoint = socket().remote_endpoint(ec);
  return ec ? "unknown" : endpoint_text(endpoint);
}

asio::awaitable<bool> Transport::handshake() {
  if (!tls_) co_return true;
  const auto [ec] = co_await tls_->async_handshake(asio::ssl::stream_base::server, awaiting);
  co_return !ec;
}

asio::awaitable<std::size_t> Transport::read_some(asio::mutable_buffer out) {
  if (tls_) {
    const auto [ec, size] = co_await tls_->async_read_some(out, awaiting);
    co_return ec ? 0 : size;
  }
  const auto [ec, size] = co_await plain_->async_read_some(out, awaiting);
  co_return ec ? 0 : size;
}

asio::awaitable<bool> Transport::write(std::string_view head, std::string_view body) {
  const std::array buffers{asio::const_buffer{head.data(), head.size()}, asio::const_buffer{body.data(), body.size()}};
  if (tls_) {
    const auto [ec, size] = co_await asio::async_write(*tls_, buffers, awaiting);
    co_return !ec;
  }
  const auto [ec, size] = co_await asio::async_write(*plain_, buffers, awaiting);
  co_return !ec;
}

asio::awaitable<void> Transport::shutdown() {
  if (tls_) co_await tls_->async_shutdown(awaiting);
  error_code ignored;
  socket().shutdown(Socket::shutdown_send, ignored);
}

void Transport::cancel() {
  error_code ignored;
  socket().cancel(ignored);
}

void Transport::close() {
  error_code ignored;
  socket().close(ignored);
}

std::string endpoint_text(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  const auto host = endpoint.address().is_v6() ? "[" + address + "]" : address;
  return host + ":" + std::to_string(endpoint.port());
}

}  // namespace coffer::net::detail

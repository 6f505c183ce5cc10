#include "net/detail/transport.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <tuple>

#include "net/detail/peer_certificate.h"

namespace coffer::net::detail {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Errors are values here: an exception a closed connection would be a gift to whoever closes many.
constexpr auto awaiting = asio::as_tuple(asio::use_awaitable);

}  // namespace

Transport::Transport(Socket plain, asio::ssl::context* tls) : stream_(std::move(plain)) {
  error_code ignored;
  std::ignore = socket().set_option(asio::ip::tcp::no_delay{true}, ignored);
  if (tls == nullptr) return;
  Socket lower = std::move(socket());
  stream_.emplace<TlsStream>(std::move(lower), *tls);
}

Transport::Socket& Transport::socket() {
  if (auto* tls = std::get_if<TlsStream>(&stream_)) return tls->next_layer();
  return std::get<Socket>(stream_);
}

std::string Transport::peer() {
  error_code ec;
  const auto endpoint = socket().remote_endpoint(ec);
  return ec ? "unknown" : endpoint_text(endpoint);
}

asio::awaitable<bool> Transport::handshake() {
  auto* tls = std::get_if<TlsStream>(&stream_);
  if (tls == nullptr) co_return true;
  const auto [ec] = co_await tls->async_handshake(asio::ssl::stream_base::server, awaiting);
  if (ec) log_refused_certificate(tls->native_handle(), peer());
  co_return !ec;
}

std::shared_ptr<const PeerCertificate> Transport::certificate() {
  auto* tls = std::get_if<TlsStream>(&stream_);
  return tls == nullptr ? nullptr : verified_peer(tls->native_handle());
}

asio::awaitable<std::size_t> Transport::read_some(asio::mutable_buffer out) {
  if (auto* tls = std::get_if<TlsStream>(&stream_)) {
    const auto [ec, size] = co_await tls->async_read_some(out, awaiting);
    co_return ec ? 0 : size;
  }
  const auto [ec, size] = co_await socket().async_read_some(out, awaiting);
  co_return ec ? 0 : size;
}

asio::awaitable<bool> Transport::write(std::string_view head, std::string_view body) {
  const std::array buffers{asio::const_buffer{head.data(), head.size()}, asio::const_buffer{body.data(), body.size()}};
  if (auto* tls = std::get_if<TlsStream>(&stream_)) {
    const auto [ec, size] = co_await asio::async_write(*tls, buffers, awaiting);
    co_return !ec;
  }
  const auto [ec, size] = co_await asio::async_write(socket(), buffers, awaiting);
  co_return !ec;
}

asio::awaitable<void> Transport::shutdown() {
  if (auto* tls = std::get_if<TlsStream>(&stream_)) co_await tls->async_shutdown(awaiting);
  error_code ignored;
  std::ignore = socket().shutdown(Socket::shutdown_send, ignored);
}

void Transport::cancel() {
  error_code ignored;
  std::ignore = socket().cancel(ignored);
}

void Transport::close() {
  error_code ignored;
  std::ignore = socket().close(ignored);
}

std::string endpoint_text(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  const auto host = endpoint.address().is_v6() ? "[" + address + "]" : address;
  return host + ":" + std::to_string(endpoint.port());
}

}  // namespace coffer::net::detail

// A TCP connection with or without TLS, as one type.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "net/http_server.h"

namespace coffer::net::detail {

class Transport {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  // `tls` of a server, or none for plain TCP.
  Transport(Socket socket, boost::asio::ssl::context* tls);

  bool is_tls() const { return std::holds_alternative<TlsStream>(stream_); }
  std::string peer();  // "127.0.0.1:41234"
  // After the handshake: what the client showed and OpenSSL verified; nothing where it showed none.
  std::shared_ptr<const PeerCertificate> certificate();

  // Each answers false when the connection is of no further use.
  boost::asio::awaitable<bool> handshake();
  // How many bytes came; 0 at the end.
  boost::asio::awaitable<std::size_t> read_some(boost::asio::mutable_buffer out);
  boost::asio::awaitable<bool> write(std::string_view head, std::string_view body);
  // Says that nothing more will be sent.
  boost::asio::awaitable<void> shutdown();

  void cancel();
  void close();

 private:
  using TlsStream = boost::asio::ssl::stream<Socket>;
  Socket& socket();

  std::variant<Socket, TlsStream> stream_;
};

std::string endpoint_text(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace coffer::net::detail

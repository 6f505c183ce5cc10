#include "net/raw_socket_testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace coffer::net::testing {
namespace {

sockaddr_in loopback(unsigned short port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void limit_waits(int descriptor) {
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int yes = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

std::size_t expected_size(const std::string& text) {
  const auto end = text.find("\r\n\r\n");
  const auto length = text.find("Content-Length: ");
  if (length == std::string::npos || length > end) return end + 4;
  return end + 4 + std::strtoull(text.c_str() + length + 16, nullptr, 10);
}

}  // namespace

RawSocket RawSocket::connect(std::string_view address) {
  const auto port = std::strtoul(std::string{address.substr(address.rfind(':') + 1)}.c_str(), nullptr, 10);
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  limit_waits(descriptor);
  const auto target = loopback(static_cast<unsigned short>(port));
  static_cast<void>(::connect(descriptor, reinterpret_cast<const sockaddr*>(&target), sizeof target));
  return RawSocket{descriptor};
}

bool RawSocket::send(std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string RawSocket::receive_while(const std::function<bool(const std::string&)>& wanting) {
  std::string out;
  std::array<char, 16384> piece{};
  while (wanting(out)) {
    const auto size = ::recv(descriptor_, piece.data(), piece.size(), 0);
    if (size <= 0) break;
    out.append(piece.data(), static_cast<std::size_t>(size));
  }
  return out;
}

std::string RawSocket::receive_all() {
  return receive_while([](const std::string&) { return true; });
}

std::string RawSocket::receive_until(std::string_view end) {
  return receive_while([&](const std::string& text) { return !text.contains(end); });
}

std::string RawSocket::receive_response() {
  return receive_while(
      [](const std::string& text) { return !text.contains("\r\n\r\n") || text.size() < expected_size(text); });
}

void RawSocket::finish_sending() {
  ::shutdown(descriptor_, SHUT_WR);
}

void RawSocket::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void RawSocket::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

RawServer::RawServer(Script script)
    : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  auto address = loopback(0);
  socklen_t size = sizeof address;
  static_cast<void>(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  static_cast<void>(::listen(listener_, 64));
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_loop(); });
}

RawServer::~RawServer() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  peers_.clear();
  ::close(listener_);
}

void RawServer::accept_loop() {
  for (;;) {
    const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (peer < 0) return;
    ++connections_;
    limit_waits(peer);
    peers_.emplace_back([this, peer] {
      RawSocket socket{peer};
      script_(socket);
    });
  }
}

std::string RawServer::address() const {
  return "127.0.0.1:" + std::to_string(port_);
}

std::string RawServer::url(std::string_view path) const {
  return "http://" + address() + std::string{path};
}

RawServer::Script answering(std::string answer) {
  return [answer = std::move(answer)](RawSocket& peer) {
    peer.receive_until("\r\n\r\n");
    peer.send(answer);
  };
}

}  // namespace coffer::net::testing

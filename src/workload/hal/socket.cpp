#include "workload/hal/socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace coffer::workload::hal {
namespace {

constexpr std::uint32_t max_backlog = 128;

std::unexpected<Error> system_failure(std::string_view what, int number = errno) {
  return fail(HalError::io, "could not " + std::string{what} + ": " + std::strerror(number));
}

std::unexpected<Error> out_of_order(std::string_view what) {
  return fail(HalError::wrong_state, "the socket is not " + std::string{what});
}

const sockaddr* as_system(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

Result<> Socket::open(const SocketAddress& address) {
  if (descriptor_) return {};
  const int type = kind_ == Kind::tcp ? SOCK_STREAM : SOCK_DGRAM;
  descriptor_ = FileDescriptor{::socket(address.is_v4() ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!descriptor_) return system_failure("make a socket");
  const int on = 1;
  ::setsockopt(descriptor_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return {};
}

Result<> Socket::bind(const SocketAddress& address) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::fresh) return out_of_order("fresh: it is bound or connected already");
  TRY(open(address));
  sockaddr_storage system;
  const auto size = address.to_system(system);
  if (::bind(descriptor_.get(), as_system(system), size) != 0) return system_failure("bind to " + address.text());
  state_ = State::bound;
  return {};
}

Result<> Socket::listen(std::uint32_t backlog) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::bound) return out_of_order("bound");
  if (kind_ == Kind::udp) return {};
  const auto waiting = static_cast<int>(std::clamp(backlog, 1U, max_backlog));
  if (::listen(descriptor_.get(), waiting) != 0) return system_failure("listen");
  state_ = State::listening;
  return {};
}

Result<> Socket::wait(int descriptor, short events, std::string_view what) const {
  if (TRY(waiting_.ready(descriptor, events, io_timeout))) return {};
  return fail(HalError::timeout, "could not " + std::string{what} + " within 30 seconds");
}

Result<> Socket::connect(const SocketAddress& address) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::fresh && state_ != State::bound) return out_of_order("fresh: it is connected or listens");
  TRY(open(address));
  sockaddr_storage system;
  const auto size = address.to_system(system);
  if (::connect(descriptor_.get(), as_system(system), size) != 0) {
    if (errno != EINPROGRESS) return system_failure("connect to " + address.text());
    TRY(wait(descriptor_.get(), POLLOUT, "connect to " + address.text()));
    int outcome = 0;
    socklen_t length = sizeof outcome;
    ::getsockopt(descriptor_.get(), SOL_SOCKET, SO_ERROR, &outcome, &length);
    if (outcome != 0) return system_failure("connect to " + address.text(), outcome);
  }
  state_ = State::connected;
  return {};
}

Result<int> Socket::descriptor_in(State wanted, std::string_view doing) {
  const std::lock_guard lock(mutex_);
  if (state_ != wanted) return out_of_order(doing);
  return descriptor_.get();
}

Result<std::shared_ptr<Socket>> Socket::accept() {
  const int listener = TRY(descriptor_in(State::listening, "listening"));
  for (;;) {
    TRY(wait(listener, POLLIN, "accept a connection"));
    FileDescriptor accepted{::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!accepted && (would_block() || errno == ECONNABORTED)) continue;
    if (!accepted) return system_failure("accept a connection");
    auto out = std::make_shared<Socket>(Kind::tcp, waiting_);
    out->descriptor_ = std::move(accepted);
    out->state_ = State::connected;
    return out;
  }
}

Result<std::uint32_t> Socket::send(ByteView data) {
  const int connection = TRY(descriptor_in(State::connected, "connected"));
  for (;;) {
    const auto count = ::send(connection, data.data(), data.size(), MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::uint32_t>(count);
    if (!would_block()) return system_failure("send");
    TRY(wait(connection, POLLOUT, "send"));
  }
}

Result<Bytes> Socket::receive(std::uint32_t most) {
  // A UDP socket that is bound hears whoever sends to it.
  auto from = descriptor_in(State::connected, "connected");
  if (!from && kind_ == Kind::udp) from = descriptor_in(State::bound, "bound or connected");
  const int connection = TRY(std::move(from));
  Bytes out(std::min<std::size_t>(most, max_receive));
  for (;;) {
    TRY(wait(connection, POLLIN, "receive anything"));
    const auto count = ::recv(connection, out.data(), out.size(), 0);
    if (count < 0 && would_block()) continue;
    if (count < 0) return system_failure("receive");
    out.resize(static_cast<std::size_t>(count));
    return out;
  }
}

}  // namespace coffer::workload::hal

#include "evidence/external/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/byte_reader.h"
#include "base/file_descriptor.h"
#include "evidence/external/message.h"

namespace coffer::evidence::external {

namespace {

using Clock = std::chrono::steady_clock;

class UnixChannel final : public Channel {
 public:
  explicit UnixChannel(UnixSocket socket) : socket_(std::move(socket)) {}

  Result<std::string> exchange(std::string_view request) const override {
    if (request.size() > max_request) {
      return failed(ExternalError::bad_answer, "is not asked: the request has " + std::to_string(request.size()) +
                                                   " bytes, more than " + std::to_string(max_request));
    }
    const auto deadline = Clock::now() + socket_.timeout;
    const auto connection = TRY(connect());
    TRY(check_peer(connection.get()));
    ByteWriter frame;
    frame.u32_be(static_cast<std::uint32_t>(request.size())).bytes(as_bytes(request));
    TRY(send_all(connection.get(), frame.view(), deadline));
    const auto length_bytes = TRY(receive(connection.get(), 4, deadline));
    const auto length = TRY(ByteReader{length_bytes}.u32_be("the answer's length"));
    if (length > max_answer) {
      return failed(ExternalError::bad_answer, "announces an answer of " + std::to_string(length) +
                                                   " bytes, more than " + std::to_string(max_answer));
    }
    return to_text(TRY(receive(connection.get(), length, deadline)));
  }

 private:
  std::unexpected<Error> failed(ExternalError code, const std::string& what) const {
    return fail(code, "the socket " + socket_.path.string() + " " + what);
  }
  std::unexpected<Error> unreachable(std::string_view what) const {
    return failed(ExternalError::unreachable,
                  "cannot be " + std::string{what} + ": " + std::generic_category().message(errno));
  }

  // Connecting to a local socket does not wait: it succeeds, or the listener's queue is full.
  Result<FileDescriptor> connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto& path = socket_.path.native();
    if (path.size() >= sizeof address.sun_path) return failed(ExternalError::unreachable, "has too long a path");
    std::memcpy(address.sun_path, path.data(), path.size());
    FileDescriptor connection{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!connection) return unreachable("made");
    if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      return unreachable("reached");
    }
    return connection;
  }

  Result<> check_peer(int connection) const {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return unreachable("examined");
    const bool expected = socket_.peer ? peer.uid == *socket_.peer : peer.uid == 0 || peer.uid == ::geteuid();
    if (expected) return {};
    return failed(ExternalError::wrong_peer,
                  "is expected to be served by user " +
                      (socket_.peer ? std::to_string(*socket_.peer) : "0 or " + std::to_string(::geteuid())) +
                      ", found " + std::to_string(peer.uid));
  }

  Result<> wait_for(int connection, short event, Clock::time_point deadline) const {
    while (true) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      if (left.count() <= 0) {
        return failed(ExternalError::timeout,
                      "gave no whole answer within " + std::to_string(socket_.timeout.count()) + " ms");
      }
      pollfd waiting{connection, event, 0};
      const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return unreachable("waited for");
    }
  }

  Result<> send_all(int connection, ByteView bytes, Clock::time_point deadline) const {
    while (!bytes.empty()) {
      TRY(wait_for(connection, POLLOUT, deadline));
      const auto sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return unreachable("written to");
      if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return {};
  }

  Result<Bytes> receive(int connection, std::size_t size, Clock::time_point deadline) const {
    Bytes out;
    while (out.size() < size) {
      TRY(wait_for(connection, POLLIN, deadline));
      std::byte chunk[16 * 1024];
      const auto got = ::recv(connection, chunk, std::min(sizeof chunk, size - out.size()), 0);
      if (got == 0) return failed(ExternalError::bad_answer, "was closed in the middle of an answer");
      if (got < 0 && errno != EAGAIN && errno != EINTR) return unreachable("read from");
      if (got > 0) out.insert(out.end(), chunk, chunk + got);
    }
    return out;
  }

  UnixSocket socket_;
};

}  // namespace

std::unique_ptr<Channel> connect_by(UnixSocket socket) {
  return std::make_unique<UnixChannel>(std::move(socket));
}

}  // namespace coffer::evidence::external

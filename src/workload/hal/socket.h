// One socket of a guest: TCP or UDP, never blocking this process, with the states that the interface's calls lead to.
#pragma once

#include <memory>
#include <mutex>

#include "base/bytes.h"
#include "base/file_descriptor.h"
#include "workload/hal/address_list.h"
#include "workload/hal/waiting.h"

namespace coffer::workload::hal {

class Socket {
 public:
  enum class Kind { tcp, udp };
  static constexpr Duration io_timeout = std::chrono::seconds{30};  // of one call
  static constexpr std::size_t max_receive = std::size_t{1} << 20;

  Socket(Kind kind, const Waiting& waiting) : kind_(kind), waiting_(waiting) {}

  // wrong_state for a call out of order; timeout, stopped, io. Whether an address is allowed is the caller's to know.
  Result<> bind(const SocketAddress& address);
  Result<> listen(std::uint32_t backlog);  // of a UDP socket: nothing to do once it is bound
  Result<> connect(const SocketAddress& address);
  Result<std::shared_ptr<Socket>> accept();
  // Some of the data, at least a byte of it: how much.
  Result<std::uint32_t> send(ByteView data);
  // What there is, up to `most` bytes; nothing at the end of a TCP connection.
  Result<Bytes> receive(std::uint32_t most);

 private:
  enum class State { fresh, bound, listening, connected };
  Result<> open(const SocketAddress& address);
  Result<int> descriptor_in(State wanted, std::string_view doing);
  Result<> wait(int descriptor, short events, std::string_view what) const;

  const Kind kind_;
  const Waiting& waiting_;
  std::mutex mutex_;  // guards the state; the descriptor stays once it is there
  State state_ = State::fresh;
  FileDescriptor descriptor_;
};

}  // namespace coffer::workload::hal

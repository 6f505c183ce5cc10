// One request and one answer over a Unix socket: four bytes of length, big-endian, then that many bytes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "evidence/external/error.h"

namespace coffer::evidence::external {

class Channel {
 public:
  virtual ~Channel() = default;
  // unreachable, wrong_peer, timeout, bad_answer.
  virtual Result<std::string> exchange(std::string_view request) const = 0;
};

struct UnixSocket {
  std::filesystem::path path;
  std::chrono::milliseconds timeout{5000};  // for the whole exchange
  // Who must be at the other end: this user where it is given, otherwise root or the user we run as.
  std::optional<uid_t> peer{};
};
std::unique_ptr<Channel> connect_by(UnixSocket socket);

}  // namespace coffer::evidence::external

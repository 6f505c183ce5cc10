// Images that were asked for and are not on their way yet, each once. Safe to use from several threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace coffer::fleet::proxy {

class FetchQueue {
 public:
  explicit FetchQueue(std::size_t max_waiting) : max_waiting_(max_waiting) {}

  enum class Admission {
    queued,
    joined,    // is waiting, or on its way with nothing sent yet: whoever asks now gets all of it
    repeated,  // some of it was sent before: it will be sent once more
    full,
  };
  Admission add(const std::string& name);

  // Blocks for the next image; nothing once closed. sending() before its first chunk, done() after its last.
  std::optional<std::string> take();
  void sending(const std::string& name);
  void done(const std::string& name);

  void close();
  std::size_t waiting() const;
  std::size_t running() const;

 private:
  struct Running {
    bool sending = false, again = false;
  };
  const std::size_t max_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  std::map<std::string, Running> running_;
  bool closed_ = false;
};

}  // namespace coffer::fleet::proxy

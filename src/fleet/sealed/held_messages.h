// Payloads under a key that may be about to come: kept for a moment, within bounds, until the keys were asked for anew.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace coffer::fleet::sealed {

struct HeldMessage {
  std::string topic, payload;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};

class HeldMessages {
 public:
  explicit HeldMessages(std::size_t max_messages = 1024, std::size_t max_bytes = std::size_t{32} << 20)
      : max_messages_(max_messages), max_bytes_(max_bytes) {}

  // False where there is no more room.
  bool hold(HeldMessage message) {
    const std::lock_guard lock(mutex_);
    if (messages_.size() >= max_messages_ || bytes_ + message.payload.size() > max_bytes_) return false;
    bytes_ += message.payload.size();
    messages_.push_back(std::move(message));
    return true;
  }

  // All of them, in their order.
  std::vector<HeldMessage> take() {
    const std::lock_guard lock(mutex_);
    bytes_ = 0;
    return std::exchange(messages_, {});
  }

 private:
  const std::size_t max_messages_, max_bytes_;
  std::mutex mutex_;
  std::vector<HeldMessage> messages_;
  std::size_t bytes_ = 0;
};

}  // namespace coffer::fleet::sealed

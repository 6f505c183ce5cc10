// What happened to one task by way of its HAL, for those who subscribed to it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "workload/hal/error.h"

namespace coffer::workload::hal {

enum class EventType { platform, crypto, storage, network, gpu };
inline constexpr std::array<std::string_view, 5> event_type_names = {"platform", "crypto", "storage", "network", "gpu"};

class EventLog {
 public:
  struct Event {
    EventType type;
    std::int64_t timestamp;  // seconds since 1970
    std::string payload;     // JSON: {"event":"stored","name":"..."}
  };
  static constexpr std::size_t max_subscriptions = 64;
  static constexpr std::size_t max_events = 256;  // that wait in one subscription: the oldest make way

  explicit EventLog(const Clock& clock) : clock_(clock) {}

  // Told to whoever subscribed to its type before.
  void record(EventType type, std::string_view event, std::string_view name = {});
  // limit.
  Result<std::uint64_t> subscribe(EventType type);
  // bad_handle. poll takes out all that came since the last time.
  Result<> unsubscribe(std::uint64_t handle);
  Result<std::vector<Event>> poll(std::uint64_t handle);

 private:
  struct Subscription {
    EventType type;
    std::deque<Event> waiting{};
  };
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::uint64_t, Subscription> subscriptions_;
  std::uint64_t next_ = 1;
};

}  // namespace coffer::workload::hal

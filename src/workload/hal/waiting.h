// Blocking for a guest: never past its task's end, and woken when that is asked for.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

#include "base/clock.h"
#include "base/file_descriptor.h"
#include "workload/hal/error.h"

namespace coffer::workload::hal {

class Waiting {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  // `deadline`: when the task's time is up. `longest`: what one wait may take at most.
  Waiting(const std::stop_token& stop, std::optional<Instant> deadline, std::optional<Duration> longest = {});

  // Returns when the time has passed; stopped where the task's ends before it.
  Result<> sleep(std::chrono::nanoseconds duration) const;
  // Until the descriptor is ready for `events` (POLLIN, POLLOUT). False where `most` has passed without it.
  Result<bool> ready(int descriptor, short events, Duration most) const;

 private:
  Result<bool> poll_until(int descriptor, short events, Instant until) const;

  FileDescriptor wake_;  // an eventfd, readable once the task is stopped
  std::optional<Instant> deadline_;
  std::optional<Duration> longest_;
  std::stop_callback<std::function<void()>> callback_;
};

}  // namespace coffer::workload::hal

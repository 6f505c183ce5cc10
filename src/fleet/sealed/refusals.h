// What becomes of refused payloads: each is counted, and one a second of each kind is logged.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace coffer::fleet::sealed {

class Refusals {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  // `event`: of the log; `count`: called with each one's code.
  Refusals(std::string event, std::function<void(std::string_view code)> count)
      : event_(std::move(event)), count_(std::move(count)) {}
  // Whether it was logged.
  bool note(const Error& why, std::string_view topic, Instant now = std::chrono::steady_clock::now());

 private:
  struct Kind {
    Instant logged{};
    std::size_t unsaid = 0;
    bool any = false;
  };
  const std::string event_;
  const std::function<void(std::string_view)> count_;
  std::mutex mutex_;
  std::map<std::string_view, Kind> kinds_;  // by code, whose names are of static storage
};

}  // namespace coffer::fleet::sealed

// Callers that want the same thing at the same time share one attempt at it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"

namespace coffer::evidence {

template <class T>
class SingleFlight {
 public:
  // Runs `work` unless another thread runs it for this key already; then waits for that one's result, or nothing where
  // it has not come by `deadline`. No lock is held while it runs. `work` does not throw: those who wait would wait in
  // vain.
  template <class Work>
  std::optional<Result<T>> run(const std::string& key, std::chrono::steady_clock::time_point deadline,
                               const Work& work) {
    const auto [flight, leads] = join(key);
    if (leads) return land(key, *flight, work());
    std::unique_lock lock{flight->mutex};
    const auto landed = [&joined = *flight] { return joined.result.has_value(); };
    // Not wait_until with the end of all time, which overflows in some clocks' conversions.
    constexpr auto forever = std::chrono::steady_clock::time_point::max();
    if (deadline == forever) flight->landed.wait(lock, landed);
    if (deadline != forever && !flight->landed.wait_until(lock, deadline, landed)) return std::nullopt;
    return *flight->result;
  }

 private:
  struct Flight {
    std::mutex mutex;
    std::condition_variable landed;
    std::optional<Result<T>> result;
  };

  Result<T> land(const std::string& key, Flight& flight, Result<T> result) {
    {
      const std::scoped_lock lock{mutex_};
      flights_.erase(key);
    }
    {
      const std::scoped_lock lock{flight.mutex};
      flight.result = result;
    }
    flight.landed.notify_all();
    return result;
  }

  std::pair<std::shared_ptr<Flight>, bool> join(const std::string& key) {
    const std::scoped_lock lock{mutex_};
    auto& flight = flights_[key];
    const bool leads = flight == nullptr;
    if (leads) flight = std::make_shared<Flight>();
    return {flight, leads};
  }

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace coffer::evidence

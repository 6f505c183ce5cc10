// What a task has open, by the numbers that its guest knows: bounded, never used twice, closed with the task.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "workload/hal/error.h"

namespace coffer::workload::hal {

template <class T>
class Handles {
 public:
  // `what`: "socket", for errors.
  Handles(std::string_view what, std::size_t most) : what_(what), most_(most) {}

  Result<std::uint64_t> add(std::shared_ptr<T> object) {
    const std::lock_guard lock(mutex_);
    if (objects_.size() >= most_) {
      return fail(HalError::limit,
                  "this task has " + std::to_string(most_) + " of " + std::string{what_} + " open, as many as it may");
    }
    objects_.emplace(next_, std::move(object));
    return next_++;
  }
  Result<std::shared_ptr<T>> get(std::uint64_t handle) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(handle);
    if (found == objects_.end()) return unknown(handle);
    return found->second;
  }
  Result<std::shared_ptr<T>> remove(std::uint64_t handle) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(handle);
    if (found == objects_.end()) return unknown(handle);
    auto object = std::move(found->second);
    objects_.erase(found);
    return object;
  }

 private:
  std::unexpected<Error> unknown(std::uint64_t handle) const {
    return fail(HalError::bad_handle, "no open " + std::string{what_} + " has the handle " + std::to_string(handle));
  }

  const std::string_view what_;
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<T>> objects_;
  std::uint64_t next_ = 1;
};

}  // namespace coffer::workload::hal

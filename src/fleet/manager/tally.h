// How the tasks ended that this manager saw the end of, since it started: for whoever watches the fleet.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "fleet/manager/task.h"

namespace coffer::fleet::manager {

struct EndedTask {
  std::string id{}, name{}, worker{};
  TaskState state = TaskState::completed;
  std::string code{}, error{};
  TimePoint at{};

  // Of one that failed all of it, of others how it ended.
  static EndedTask of(const Task& task);
};

class Tally {
 public:
  struct Counts {
    std::uint64_t completed = 0, failed = 0;
    std::vector<EndedTask> failures{};  // the latest first
  };
  void add(const std::vector<EndedTask>& ended);
  Counts counts() const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t completed_ = 0, failed_ = 0;
  std::deque<EndedTask> failures_;
};

}  // namespace coffer::fleet::manager

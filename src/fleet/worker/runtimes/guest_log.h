// What a task that serves writes, in this worker's log: there is no result for it to be told in.
#pragma once

#include <string>

#include "wasm/invocation.h"

namespace coffer::fleet::worker {

// One stream of one task. Not for several threads at once.
class GuestLog {
 public:
  // `limit`: bytes that are logged; 0 logs none, and counts all.
  GuestLog(std::string task, std::string stream, std::size_t limit)
      : task_(std::move(task)), stream_(std::move(stream)), limit_(limit) {}
  // Takes everything. The object outlives the sink.
  wasm::Sink sink();
  // One line that says what is missing, where something is.
  void finish() const;
  std::size_t missing() const { return total_ - logged_; }

 private:
  std::string task_, stream_;
  std::size_t limit_, total_ = 0, logged_ = 0;
};

}  // namespace coffer::fleet::worker

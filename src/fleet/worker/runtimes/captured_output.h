// What a task writes, kept up to a bound.
#pragma once

#include <string>

#include "wasm/invocation.h"

namespace coffer::fleet::worker {

class CapturedOutput {
 public:
  explicit CapturedOutput(std::size_t limit) : limit_(limit) {}
  // Takes everything, keeps the first `limit` bytes. The object outlives the sink.
  wasm::Sink sink();
  // With a line at the end that says how much is missing, where something is.
  std::string text() const;

 private:
  std::size_t limit_;
  std::size_t total_ = 0;
  std::string kept_;
};

}  // namespace coffer::fleet::worker

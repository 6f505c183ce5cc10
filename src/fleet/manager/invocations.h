// Calls of latent tasks whose results are waited for.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "fleet/results.h"

namespace coffer::fleet::manager {

class Invocations {
 public:
  void open(const std::string& id);
  // True where somebody waits for it.
  bool take(InvokeResult result);
  // Nothing after `timeout`. Closes the invocation.
  std::optional<InvokeResult> wait(const std::string& id, Duration timeout);

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::string, std::optional<InvokeResult>> open_;
};

}  // namespace coffer::fleet::manager

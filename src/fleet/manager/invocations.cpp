#include "fleet/manager/invocations.h"

namespace coffer::fleet::manager {

void Invocations::open(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  open_.emplace(id, std::nullopt);
}

bool Invocations::take(InvokeResult result) {
  {
    const std::scoped_lock lock(mutex_);
    const auto waiting = open_.find(result.invocation_id);
    if (waiting == open_.end()) return false;
    waiting->second = std::move(result);
  }
  arrived_.notify_all();
  return true;
}

std::optional<InvokeResult> Invocations::wait(const std::string& id, Duration timeout) {
  std::unique_lock lock(mutex_);
  const auto waiting = open_.find(id);
  if (waiting == open_.end()) return std::nullopt;
  arrived_.wait_for(lock, timeout, [&] { return waiting->second.has_value(); });
  auto result = std::move(waiting->second);
  open_.erase(waiting);
  return result;
}

}  // namespace coffer::fleet::manager

#include "fleet/manager/tally.h"

namespace coffer::fleet::manager {
namespace {

constexpr std::size_t most_failures = 20;
constexpr std::size_t longest_error = 512;

}  // namespace

EndedTask EndedTask::of(const Task& task) {
  if (task.state != TaskState::failed) return {.state = task.state};
  return {.id = task.id(),
          .name = task.work.name,
          .worker = task.assigned,
          .state = task.state,
          .code = task.code,
          .error = task.error.substr(0, longest_error),
          .at = task.finish_time.value_or(task.updated_at)};
}

void Tally::add(const std::vector<EndedTask>& ended) {
  if (ended.empty()) return;
  const std::scoped_lock lock(mutex_);
  for (const auto& task : ended) {
    if (task.state == TaskState::completed) ++completed_;
    if (task.state != TaskState::failed) continue;
    ++failed_;
    failures_.push_front(task);
    if (failures_.size() > most_failures) failures_.pop_back();
  }
}

Tally::Counts Tally::counts() const {
  const std::scoped_lock lock(mutex_);
  return {.completed = completed_, .failed = failed_, .failures = {failures_.begin(), failures_.end()}};
}

}  // namespace coffer::fleet::manager

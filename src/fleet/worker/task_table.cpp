#include "fleet/worker/task_table.h"

#include <algorithm>
#include <ranges>

namespace coffer::fleet::worker {

void TaskTable::forget_old(Instant now) {
  const auto too_many = [&] { return ended_.size() > most_ended || ended_bytes_ > most_ended_bytes; };
  while (!ended_.empty() && (ended_.front().until + run_window <= now || too_many())) {
    ended_bytes_ -= ended_.front().result.size();
    ended_.pop_front();
  }
}

TaskTable::Admission TaskTable::begin(const std::string& id, const std::string& run, std::stop_token& token,
                                      Instant now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  if (running_.contains(id)) return Admission::running;
  const bool again = std::ranges::any_of(ended_, [&](const Ended& ended) {
    return ended.id == id && (run.empty() ? now < ended.until : ended.run == run);
  });
  if (again) return Admission::ended;
  token = running_[id].get_token();
  return Admission::admitted;
}

void TaskTable::end(const std::string& id, const std::string& run, std::string result, Instant now) {
  const std::lock_guard lock(mutex_);
  running_.erase(id);
  if (run.empty() && window_ == Duration{0}) return;
  ended_bytes_ += result.size();
  ended_.push_back({id, run, std::move(result), now + window_});
  forget_old(now);
}

std::optional<std::string> TaskTable::last_result(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto latest = std::ranges::find(std::views::reverse(ended_), id, &Ended::id);
  if (latest == std::views::reverse(ended_).end() || latest->result.empty()) return std::nullopt;
  return latest->result;
}

std::stop_token TaskTable::begin_invocation(const std::string& task_id, const std::string& run_id) {
  const std::lock_guard lock(mutex_);
  return invocations_[task_id][run_id].get_token();
}

void TaskTable::end_invocation(const std::string& task_id, const std::string& run_id) {
  const std::lock_guard lock(mutex_);
  const auto found = invocations_.find(task_id);
  if (found == invocations_.end()) return;
  found->second.erase(run_id);
  if (found->second.empty()) invocations_.erase(found);
}

void TaskTable::make_ready(std::shared_ptr<const ReadyTask> task) {
  const std::lock_guard lock(mutex_);
  ready_[task->task.id] = std::move(task);
}

std::shared_ptr<const ReadyTask> TaskTable::ready(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = ready_.find(id);
  return found == ready_.end() ? nullptr : found->second;
}

bool TaskTable::stop(const std::string& id) {
  // Sources are copied out: what a stop sets off may come back here.
  std::vector<std::stop_source> sources;
  bool found = false;
  {
    const std::lock_guard lock(mutex_);
    found = ready_.erase(id) > 0;
    if (const auto task = running_.find(id); task != running_.end()) sources.push_back(task->second);
    if (const auto runs = invocations_.find(id); runs != invocations_.end()) {
      for (const auto& source : runs->second | std::views::values) sources.push_back(source);
    }
  }
  for (auto& source : sources) source.request_stop();
  return found || !sources.empty();
}

void TaskTable::stop_all() {
  std::vector<std::string> ids;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& id : running_ | std::views::keys) ids.push_back(id);
    for (const auto& id : invocations_ | std::views::keys) ids.push_back(id);
    ready_.clear();
  }
  for (const auto& id : ids) stop(id);
}

std::size_t TaskTable::running() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = running_.size();
  for (const auto& runs : invocations_ | std::views::values) count += runs.size();
  return count;
}

}  // namespace coffer::fleet::worker

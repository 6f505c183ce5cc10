#include "fleet/proxy/fetch_queue.h"

#include <algorithm>

namespace coffer::fleet::proxy {

FetchQueue::Admission FetchQueue::add(const std::string& name) {
  const std::lock_guard lock{mutex_};
  if (std::ranges::any_of(waiting_, [&](const std::string& each) { return each == name; })) return Admission::joined;
  if (const auto running = running_.find(name); running != running_.end()) {
    if (!running->second.sending) return Admission::joined;
    running->second.again = true;
    return Admission::repeated;
  }
  if (closed_ || waiting_.size() >= max_waiting_) return Admission::full;
  waiting_.push_back(name);
  changed_.notify_one();
  return Admission::queued;
}

std::optional<std::string> FetchQueue::take() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
  if (closed_) return std::nullopt;
  std::string name = std::move(waiting_.front());
  waiting_.pop_front();
  running_.emplace(name, Running{});
  return name;
}

void FetchQueue::sending(const std::string& name) {
  const std::lock_guard lock{mutex_};
  if (const auto running = running_.find(name); running != running_.end()) running->second.sending = true;
}

void FetchQueue::done(const std::string& name) {
  const std::lock_guard lock{mutex_};
  const auto running = running_.find(name);
  if (running == running_.end()) return;
  const bool again = running->second.again;
  running_.erase(running);
  if (!again || closed_) return;
  waiting_.push_back(name);  // was admitted when it was asked for
  changed_.notify_one();
}

void FetchQueue::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  waiting_.clear();
  changed_.notify_all();
}

std::size_t FetchQueue::waiting() const {
  const std::lock_guard lock{mutex_};
  return waiting_.size();
}

std::size_t FetchQueue::running() const {
  const std::lock_guard lock{mutex_};
  return running_.size();
}

}  // namespace coffer::fleet::proxy

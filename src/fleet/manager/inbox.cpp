#include "fleet/manager/inbox.h"

#include "base/log.h"

namespace coffer::fleet::manager {

Inbox::Inbox(unsigned threads, std::size_t max_messages, std::size_t max_bytes, Take take)
    : max_messages_(max_messages), max_bytes_(max_bytes), take_(std::move(take)) {
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
  }
}

Inbox::~Inbox() {
  stop();
}

void Inbox::stop() {
  for (auto& thread : threads_) thread.request_stop();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool Inbox::push(Topic topic, std::string payload) {
  {
    const std::scoped_lock lock(mutex_);
    if (items_.size() >= max_messages_ || bytes_ + payload.size() > max_bytes_) return false;
    bytes_ += payload.size();
    items_.push_back({topic, std::move(payload)});
  }
  arrived_.notify_one();
  return true;
}

void Inbox::run(const std::stop_token& stop) {
  while (true) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait(lock, stop, [&] { return !items_.empty(); })) return;
    const auto item = std::move(items_.front());
    items_.pop_front();
    bytes_ -= item.payload.size();
    lock.unlock();
    try {
      take_(item.topic, item.payload);
    } catch (const std::exception& error) {
      log::error("fleet.message_failed", error.what());
    }
  }
}

}  // namespace coffer::fleet::manager

#include "fleet/manager/inbox.h"

#include <algorithm>

#include "base/log.h"

namespace coffer::fleet::manager {
namespace {

constexpr Duration longest_pause = std::chrono::seconds{5};

}  // namespace

Inbox::Inbox(unsigned threads, std::size_t max_messages, std::size_t max_bytes, Take take, Duration first_pause)
    : max_messages_(max_messages), max_bytes_(max_bytes), take_(std::move(take)), first_pause_(first_pause) {
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

Inbox::~Inbox() {
  stop();
}

void Inbox::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  threads_.clear();
}

bool Inbox::push(Topic topic, std::string payload, std::shared_ptr<const void> receipt,
                 std::optional<TimePoint> sent_at) {
  {
    const std::scoped_lock lock(mutex_);
    if (items_.size() >= max_messages_ || bytes_ + payload.size() > max_bytes_) return false;
    bytes_ += payload.size();
    items_.push_back({topic, std::move(payload), std::move(receipt), sent_at});
  }
  arrived_.notify_one();
  return true;
}

void Inbox::run() {
  while (true) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return stopping_ || !items_.empty(); });
    if (stopping_) return;
    auto item = std::move(items_.front());
    items_.pop_front();
    bytes_ -= item.payload.size();
    lock.unlock();
    for (auto pause = first_pause_; !take(item); pause = std::min<Duration>(pause * 2, longest_pause)) {
      lock.lock();
      if (arrived_.wait_for(lock, pause, [&] { return stopping_; })) {
        bytes_ += item.payload.size();
        items_.push_front(std::move(item));
        return;
      }
      lock.unlock();
    }
  }
}

bool Inbox::take(const Item& item) {
  try {
    const auto taken = take_(item.topic, item.payload, item.sent_at);
    if (taken) return true;
    log::warn("fleet.message_waits", taken.error().message, {{"code", std::string{taken.error().code.name()}}});
    return false;
  } catch (const std::exception& error) {
    log::error("fleet.message_failed", error.what());
    return true;
  }
}

}  // namespace coffer::fleet::manager

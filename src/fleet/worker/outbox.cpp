#include "fleet/worker/outbox.h"

#include "base/log.h"

namespace coffer::fleet::worker {
namespace {

constexpr Duration retry_delay{200};

}  // namespace

Outbox::Outbox(Publish publish, std::size_t max_waiting)
    : publish_(std::move(publish)),
      max_waiting_(max_waiting),
      thread_([this](const std::stop_token& stop) { deliver(stop); }) {}

Outbox::~Outbox() {
  thread_.request_stop();
}

void Outbox::flush() {
  std::multimap<Instant, net::MqttMessage> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (const auto& [when, message] : waiting) try_send(message);
}

bool Outbox::try_send(const net::MqttMessage& message) const {
  const auto sent = publish_(message);
  if (sent) return true;
  if (sent.error().code == net::NetError::queue_full) return false;
  log::error("worker.not_sent", sent.error().message, {{"topic", message.topic}});
  return true;
}

void Outbox::send(net::MqttMessage message, Instant not_before) {
  const auto now = std::chrono::steady_clock::now();
  if (not_before > now) return queue(std::move(message), not_before);
  if (!try_send(message)) queue(std::move(message), now + retry_delay);
}

void Outbox::queue(net::MqttMessage message, Instant when) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= max_waiting_) {
      log::error("worker.not_sent", "too many answers wait", {{"topic", message.topic}});
      return;
    }
    waiting_.emplace(when, std::move(message));
  }
  wake_.notify_one();
}

std::size_t Outbox::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void Outbox::deliver(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (waiting_.empty()) {
      wake_.wait(lock, stop, [this] { return !waiting_.empty(); });
      continue;
    }
    const auto due = waiting_.begin()->first;
    if (due > std::chrono::steady_clock::now()) {
      wake_.wait_until(lock, stop, due, [this, due] { return !waiting_.empty() && waiting_.begin()->first < due; });
      continue;
    }
    auto next = waiting_.extract(waiting_.begin());
    lock.unlock();
    const bool sent = try_send(next.mapped());
    if (!sent) queue(std::move(next.mapped()), std::chrono::steady_clock::now() + retry_delay);
    lock.lock();
  }
}

}  // namespace coffer::fleet::worker

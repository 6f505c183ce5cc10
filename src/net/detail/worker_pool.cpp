#include "net/detail/worker_pool.h"

#include <algorithm>

namespace coffer::net::detail {

WorkerPool::WorkerPool(unsigned workers, std::size_t max_waiting)
    : max_waiting_(max_waiting), idle_(std::max(workers, 1U)) {
  const auto count = idle_;
  threads_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() {
  stop();
}

bool WorkerPool::try_submit(Job& job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= max_waiting_ + idle_) return false;
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    const auto turn = stopping_ ? Turn::cancelled : Turn::run;
    lock.unlock();
    job(turn);
    job = nullptr;
    lock.lock();
    ++idle_;
  }
}

void WorkerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  threads_.clear();
}

}  // namespace coffer::net::detail

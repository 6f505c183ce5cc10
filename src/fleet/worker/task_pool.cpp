#include "fleet/worker/task_pool.h"

namespace coffer::fleet::worker {

bool TaskPool::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_ || queue_.size() >= max_queue_) return false;
    queue_.push_back(std::move(job));
    if (queue_.size() > idle_ && threads_.size() < max_threads_) threads_.emplace_back([this] { work(); });
  }
  wake_.notify_one();
  return true;
}

void TaskPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return finished_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what it holds goes before the next one is waited for
    lock.lock();
  }
}

void TaskPool::finish() {
  std::vector<std::jthread> threads;
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    threads.swap(threads_);
  }
  wake_.notify_all();
}

}  // namespace coffer::fleet::worker

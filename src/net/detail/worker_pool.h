// The bounded pool that handlers run in.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace coffer::net::detail {

class WorkerPool {
 public:
  // Every job that was taken runs exactly once; `cancelled` tells that the pool was stopped before its turn came.
  // Jobs do not throw.
  enum class Turn { run, cancelled };
  using Job = std::move_only_function<void(Turn)>;

  // `max_waiting`: jobs that may wait beside those that a free worker takes at once.
  WorkerPool(unsigned workers, std::size_t max_waiting);
  ~WorkerPool();  // stops
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False, and `job` untouched, when the queue is full or the pool is stopped.
  bool try_submit(Job& job);
  // Lets running jobs end and cancels the waiting ones. Safe to call twice.
  void stop();

 private:
  void work();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace coffer::net::detail

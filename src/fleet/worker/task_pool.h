// A bounded number of threads for tasks, and a bounded queue before them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace coffer::fleet::worker {

class TaskPool {
 public:
  TaskPool(unsigned threads, std::size_t max_queue) : max_threads_(threads), max_queue_(max_queue) {}
  ~TaskPool() { finish(); }
  TaskPool(const TaskPool&) = delete;
  TaskPool& operator=(const TaskPool&) = delete;

  using Job = std::function<void()>;
  // False where the queue is full or the pool has finished. Threads are started as they are needed.
  bool submit(Job job);
  // Runs what is queued and waits for it: whoever wants it short stops the tasks first. Twice is once.
  void finish();

 private:
  void work();

  const unsigned max_threads_;
  const std::size_t max_queue_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  unsigned idle_ = 0;
  bool finished_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace coffer::fleet::worker

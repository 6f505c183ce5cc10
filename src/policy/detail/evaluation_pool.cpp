#include "policy/detail/evaluation_pool.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "coffer_native.h"

namespace coffer::policy::detail {
namespace {

struct Job {
  enum class State { queued, running, done, abandoned, out_of_memory };
  std::function<void()> work;
  State state = State::queued;
  std::condition_variable changed{};
};

// Never destroyed: a lost thread may still run when the process ends.
class Pool {
 public:
  static Pool& instance() {
    static auto* const pool = new Pool;
    return *pool;
  }

  Outcome run(std::function<void()> work, SteadyTime deadline) {
    std::unique_lock lock(mutex_);
    if (lost_ >= max_lost_threads) return Outcome::overloaded;
    auto job = std::make_shared<Job>();
    job->work = std::move(work);
    queue_.push_back(job);
    if (idle_ >= queue_.size() || !add_thread()) work_arrived_.notify_one();
    job->changed.wait_until(lock, deadline,
                            [&] { return job->state != Job::State::queued && job->state != Job::State::running; });
    return leave(*job);
  }

  std::size_t lost() {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

  // From inside an allocation of the thread that runs `job`: no native function may be called.
  void stopped(Job& job) {
    const std::lock_guard lock(mutex_);
    if (job.state == Job::State::running) ++lost_;
    job.state = Job::State::out_of_memory;
    job.changed.notify_all();
  }

 private:
  Outcome leave(Job& job) {
    switch (job.state) {
      case Job::State::done: return Outcome::done;
      case Job::State::out_of_memory: return Outcome::out_of_memory;
      case Job::State::queued:
        std::erase_if(queue_, [&](const auto& other) { return other.get() == &job; });
        return Outcome::overloaded;
      default:
        job.state = Job::State::abandoned;
        ++lost_;
        return Outcome::timed_out;
    }
  }

  // A new thread where the pool may still grow; lost ones do not count.
  bool add_thread() {
    const auto limit = std::max(std::size_t{4}, std::size_t{2} * std::thread::hardware_concurrency());
    if (threads_ - lost_ >= limit) return false;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, evaluation_stack);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread{};
    const int failed = pthread_create(&thread, &attributes, &Pool::thread_main, this);
    pthread_attr_destroy(&attributes);
    threads_ += failed == 0 ? 1 : 0;
    return failed == 0;
  }

  static void* thread_main(void* pool) {
    static_cast<Pool*>(pool)->serve();
    return nullptr;
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      work_arrived_.wait(lock, [&] { return !queue_.empty(); });
      --idle_;
      auto job = std::move(queue_.front());
      queue_.pop_front();
      job->state = Job::State::running;
      lock.unlock();
      perform(*job);
      lock.lock();
      if (job->state == Job::State::abandoned) --lost_;
      job->state = Job::State::done;
      job->changed.notify_all();
    }
  }

  static void perform(Job& job) {
    coffer_thread_limit_memory(
        max_evaluation_memory, [](void* context) { instance().stopped(*static_cast<Job*>(context)); }, &job);
    job.work();
    job.work = nullptr;  // releases what it owns here, under the bound and on the large stack
    coffer_thread_limit_memory(0, nullptr, nullptr);
  }

  std::mutex mutex_;
  std::condition_variable work_arrived_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  std::size_t lost_ = 0;
};

}  // namespace

Outcome run_bounded(std::function<void()> work, SteadyTime deadline) {
  return Pool::instance().run(std::move(work), deadline);
}

std::size_t lost_threads() {
  return Pool::instance().lost();
}

}  // namespace coffer::policy::detail

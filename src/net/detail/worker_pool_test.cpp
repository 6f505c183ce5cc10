#include "net/detail/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace coffer::net::detail {
namespace {

TEST(WorkerPool, takes_no_more_than_its_workers_and_its_queue_hold) {
  std::latch release(1);
  std::atomic<int> ran = 0;
  WorkerPool pool(1, 2);
  int taken = 0;
  for (int i = 0; i < 10; ++i) {
    WorkerPool::Job job = [&](WorkerPool::Turn) {
      release.wait();
      ++ran;
    };
    if (pool.try_submit(job)) {
      ++taken;
    } else {
      EXPECT_TRUE(job) << "a job that was not taken is the caller's";
    }
  }
  EXPECT_EQ(taken, 3);
  release.count_down();
  pool.stop();
  EXPECT_EQ(ran, 3);
}

TEST(WorkerPool, stop_lets_the_running_job_end_and_cancels_the_waiting_ones) {
  std::latch entered(1);
  std::latch release(1);
  std::atomic<int> cancelled = 0;
  std::atomic<int> done = 0;
  WorkerPool pool(1, 100000);
  WorkerPool::Job running = [&](WorkerPool::Turn) {
    entered.count_down();
    release.wait();
    ++done;
  };
  ASSERT_TRUE(pool.try_submit(running));
  entered.wait();
  for (int i = 0; i < 3; ++i) {
    WorkerPool::Job waiting = [&](WorkerPool::Turn turn) { cancelled += turn == WorkerPool::Turn::cancelled ? 1 : 0; };
    ASSERT_TRUE(pool.try_submit(waiting));
  }
  std::jthread stopper([&] { pool.stop(); });
  // Once this is refused with room in the queue, the stop has begun.
  WorkerPool::Job late = [](WorkerPool::Turn) {};
  for (int i = 0; i < 50000 && pool.try_submit(late); ++i) {
    late = [](WorkerPool::Turn) {};
    std::this_thread::yield();
  }
  release.count_down();
  stopper.join();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(cancelled, 3);
}

}  // namespace
}  // namespace coffer::net::detail

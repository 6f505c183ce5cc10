#include "fleet/worker/task_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <set>

namespace coffer::fleet::worker {
namespace {

TEST(TaskPool, runs_everything_before_it_is_finished) {
  std::atomic<int> done = 0;
  TaskPool pool(3, 1000);
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.submit([&] { ++done; }));
  pool.finish();
  EXPECT_EQ(done, 500);
  EXPECT_FALSE(pool.submit([] {}));
}

TEST(TaskPool, has_as_many_threads_as_allowed_and_a_bounded_queue) {
  std::latch running(2), release(1);
  TaskPool pool(2, 3);
  const auto wait = [&] {
    running.count_down();
    release.wait();
  };
  ASSERT_TRUE(pool.submit(wait));
  ASSERT_TRUE(pool.submit(wait));
  running.wait();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.submit([] {}));
  EXPECT_FALSE(pool.submit([] {}));
  release.count_down();
}

TEST(TaskPool, jobs_run_side_by_side) {
  std::latch both(2);
  TaskPool pool(2, 10);
  for (int i = 0; i < 2; ++i) pool.submit([&] { both.arrive_and_wait(); });
  pool.finish();
  EXPECT_TRUE(both.try_wait());
}

}  // namespace
}  // namespace coffer::fleet::worker

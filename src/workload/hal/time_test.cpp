// elastic:hal/clock, and how long a guest can wait.
#include <gtest/gtest.h>

#include <thread>

#include "workload/hal/hal_testing.h"

namespace coffer::workload::hal {
namespace {

using std::chrono::steady_clock;
using testing::Guest;

constexpr std::uint64_t an_hour = 3'600'000'000'000;

TEST(HalClock, tells_the_time_of_day) {
  Guest guest;
  guest.clock.advance(Duration{1234});
  EXPECT_EQ(guest.ok("clock", "get-system-time"),
            record(field("seconds", 1'700'000'001), field("nanoseconds", 234'000'000)));
  guest.clock.set(from_unix_seconds(-5));
  EXPECT_EQ(guest.err("clock", "get-system-time"), "hal.unavailable");
}

TEST(HalClock, monotonic_time_counts_from_the_tasks_start_and_never_back) {
  Guest guest;
  const auto nanoseconds = [&] {
    const auto time = guest.ok("clock", "get-monotonic-time");
    return *time.find("elapsed-seconds")->if_uint64() * 1'000'000'000 + *time.find("elapsed-nanoseconds")->if_uint64();
  };
  const auto first = nanoseconds(), second = nanoseconds();
  EXPECT_LT(first, an_hour);
  EXPECT_LE(first, second);
  EXPECT_EQ(guest.ok("clock", "resolution"), Value{1});
}

TEST(HalClock, sleeps_as_long_as_asked) {
  Guest guest;
  const auto start = steady_clock::now();
  guest.ok("clock", "sleep", {20'000'000});
  EXPECT_GE(steady_clock::now() - start, std::chrono::milliseconds{20});
  guest.ok("clock", "sleep", {0});
}

TEST(HalClock, a_sleep_ends_when_the_task_is_stopped) {
  Guest guest;
  std::stop_source stop;
  guest.task.stop = stop.get_token();
  guest.ok("clock", "resolution");
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(guest.trap("clock", "sleep", {an_hour}), "hal.stopped");
  EXPECT_EQ(guest.trap("clock", "sleep", {std::numeric_limits<std::uint64_t>::max()}), "hal.stopped");
}

TEST(HalClock, a_sleep_ends_with_the_tasks_time) {
  Guest guest;
  guest.task.deadline = steady_clock::now() + std::chrono::milliseconds{10};
  EXPECT_EQ(guest.trap("clock", "sleep", {an_hour}), "hal.stopped");
}

TEST(HalClock, no_wait_takes_longer_than_one_call_may) {
  Guest guest;
  guest.task.longest_wait = Duration{10};
  EXPECT_EQ(guest.trap("clock", "sleep", {an_hour}), "hal.stopped");
  guest.ok("clock", "sleep", {1});
}

}  // namespace
}  // namespace coffer::workload::hal

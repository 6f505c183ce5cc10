#include "fleet/worker/monitor.h"

#include <gtest/gtest.h>

#include <atomic>

#include "testing/temporary_directory.h"

namespace coffer::fleet::worker {
namespace {

class MonitorTest : public ::testing::Test {
 protected:
  std::vector<TaskMetrics> samples(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return samples_.size() >= count; });
    return samples_;
  }
  void publish(const TaskMetrics& metrics) {
    const std::lock_guard lock(mutex_);
    samples_.push_back(metrics);
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<TaskMetrics> samples_;
  Monitor monitor_{
      "me", [this](const TaskMetrics& m) { publish(m); },
      [] { return ProcessFacts{.rss_bytes = 1000, .threads = 3, .file_descriptors = 4, .read_bytes = 5}; }};
};

TEST_F(MonitorTest, samples_at_once_and_then_at_each_interval) {
  monitor_.watch("t", {.interval = std::chrono::milliseconds{20}});
  const auto taken = samples(3);
  ASSERT_GE(taken.size(), 3U);
  EXPECT_EQ(taken[0].task_id, "t");
  EXPECT_EQ(taken[0].proplet_id, "me");
  EXPECT_EQ(taken[0].metrics.memory_bytes, 1000U);
  EXPECT_EQ(taken[2].aggregated->sample_count, 3U);
  EXPECT_EQ(taken[2].aggregated->total_disk_read, 5U);
}

TEST_F(MonitorTest, collects_what_the_profile_names_and_keeps_as_many_as_it_says) {
  monitor_.watch("t", {.interval = std::chrono::milliseconds{10}, .collect_memory = false, .history_size = 2});
  const auto taken = samples(4);
  ASSERT_GE(taken.size(), 4U);
  EXPECT_EQ(taken[3].metrics.memory_bytes, 0U);
  EXPECT_EQ(taken[3].metrics.thread_count, 3U);
  EXPECT_EQ(taken[3].aggregated->sample_count, 2U);
}

TEST_F(MonitorTest, one_that_keeps_no_history_tells_none) {
  monitor_.watch("t", {.interval = std::chrono::milliseconds{10}, .retain_history = false});
  EXPECT_FALSE(samples(2).back().aggregated);
}

TEST_F(MonitorTest, says_nothing_where_the_profile_is_off_or_the_task_gone) {
  monitor_.watch("off", {.enabled = false});
  monitor_.watch("kept", {.export_to_mqtt = false});
  monitor_.watch("t", {.interval = std::chrono::milliseconds{10}});
  samples(1);
  monitor_.unwatch("t");
  for (const auto& sample : samples(1)) EXPECT_EQ(sample.task_id, "t");
}

TEST(MachineFacts, are_read_from_a_tree_of_files) {
  const TemporaryDirectory root;
  root.write("proc/self/stat", "1 (a (b) c) S 1 1 1 0 -1 4194560 1 2 3 4 250 150 0 0 20 0 7 0 5 6 7");
  root.write("proc/self/status", "Name:\tx\nVmRSS:\t  2048 kB\nThreads:\t7\n");
  root.write("proc/self/io", "rchar: 9\nread_bytes: 4096\nwrite_bytes: 512\n");
  root.write("proc/self/fd/0", "");
  root.write("proc/meminfo", "MemTotal:  1000 kB\nMemAvailable: 400 kB\n");
  root.write("sys/fs/cgroup/memory.current", "123\n");
  root.write("sys/fs/cgroup/memory.max", "max\n");
  const auto process = read_process_facts(root.path());
  EXPECT_DOUBLE_EQ(process.user_seconds, 2.5);
  EXPECT_DOUBLE_EQ(process.system_seconds, 1.5);
  EXPECT_EQ(process.rss_bytes, 2048U * 1024);
  EXPECT_EQ(process.threads, 7U);
  EXPECT_EQ(process.read_bytes, 4096U);
  EXPECT_EQ(process.written_bytes, 512U);
  EXPECT_EQ(process.file_descriptors, 1U);
  const auto machine = read_machine_facts(root.path());
  EXPECT_EQ(machine.memory_bytes, 1000U * 1024);
  EXPECT_EQ(machine.memory_available_bytes, 400U * 1024);
  EXPECT_EQ(machine.container_usage_bytes, 123U);
  EXPECT_FALSE(machine.container_limit_bytes);
  EXPECT_EQ(environment_kind(root.path()), "binary");
  root.write(".dockerenv", "");
  EXPECT_EQ(environment_kind(root.path()), "docker");
}

TEST(MachineFacts, of_a_machine_that_shows_none_are_zero) {
  const TemporaryDirectory root;
  EXPECT_EQ(read_process_facts(root.path()).rss_bytes, 0U);
  EXPECT_EQ(read_machine_facts(root.path()).memory_bytes, 0U);
}

TEST(CpuMeter, tells_the_share_of_a_processor_between_two_readings) {
  CpuMeter meter;
  EXPECT_EQ(meter.percent({.user_seconds = 1}, 10), 0);
  EXPECT_DOUBLE_EQ(meter.percent({.user_seconds = 2, .system_seconds = 0.5}, 13), 50);
  EXPECT_EQ(meter.percent({.user_seconds = 3}, 13), 0);
}

}  // namespace
}  // namespace coffer::fleet::worker

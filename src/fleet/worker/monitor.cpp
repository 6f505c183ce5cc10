#include "fleet/worker/monitor.h"

#include <algorithm>
#include <ranges>

namespace coffer::fleet::worker {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t max_history = 1000;
constexpr Duration shortest_interval{10};

double seconds_since_epoch(steady_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

std::optional<TaskMetrics::Aggregated> aggregate(const std::deque<TaskMetrics::Sample>& history) {
  if (history.empty()) return std::nullopt;
  TaskMetrics::Aggregated out{.sample_count = history.size()};
  double cpu = 0, memory = 0;
  for (const auto& sample : history) {
    cpu += sample.cpu_percent;
    memory += static_cast<double>(sample.memory_bytes);
    out.max_cpu_usage = std::max(out.max_cpu_usage, sample.cpu_percent);
    out.max_memory_usage = std::max(out.max_memory_usage, sample.memory_bytes);
  }
  const auto count = static_cast<double>(history.size());
  out.avg_cpu_usage = cpu / count;
  out.avg_memory_usage = static_cast<std::uint64_t>(memory / count);
  out.total_disk_read = history.back().disk_read_bytes;
  out.total_disk_write = history.back().disk_write_bytes;
  return out;
}

Monitor::Monitor(std::string own_id, Publish publish, std::function<ProcessFacts()> read)
    : own_id_(std::move(own_id)),
      publish_(std::move(publish)),
      read_(read ? std::move(read) : [] { return read_process_facts(); }),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Monitor::~Monitor() {
  thread_.request_stop();
}

void Monitor::watch(const std::string& task_id, const MonitoringProfile& profile) {
  if (!profile.enabled || !profile.export_to_mqtt) return;
  {
    const std::lock_guard lock(mutex_);
    const auto now = steady_clock::now();
    tasks_[task_id] = {.profile = profile, .begun = now, .next = now};
  }
  wake_.notify_one();
}

void Monitor::unwatch(const std::string& task_id) {
  const std::lock_guard lock(mutex_);
  tasks_.erase(task_id);
}

TaskMetrics Monitor::sample(const std::string& id, Watched& task, const ProcessFacts& facts, Instant now) const {
  const auto& wanted = task.profile;
  TaskMetrics out{.task_id = id, .proplet_id = own_id_, .timestamp = system_clock().now()};
  auto& metrics = out.metrics;
  if (wanted.collect_cpu) metrics.cpu_percent = task.cpu.percent(facts, seconds_since_epoch(now));
  if (wanted.collect_memory) {
    const auto whole = read_machine_facts().memory_bytes;
    metrics.memory_bytes = facts.rss_bytes;
    if (whole > 0) metrics.memory_percent = static_cast<double>(facts.rss_bytes) * 100 / static_cast<double>(whole);
  }
  if (wanted.collect_disk_io) {
    metrics.disk_read_bytes = facts.read_bytes;
    metrics.disk_write_bytes = facts.written_bytes;
  }
  if (wanted.collect_threads) metrics.thread_count = facts.threads;
  if (wanted.collect_file_descriptors) metrics.file_descriptor_count = facts.file_descriptors;
  metrics.uptime_seconds =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now - task.begun).count());
  if (!wanted.retain_history) return out;
  task.history.push_back(metrics);
  while (task.history.size() > std::min<std::size_t>(wanted.history_size, max_history)) task.history.pop_front();
  out.aggregated = aggregate(task.history);
  return out;
}

void Monitor::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    auto due = Instant::max();
    for (const auto& task : tasks_ | std::views::values) due = std::min(due, task.next);
    if (due == Instant::max()) {
      wake_.wait(lock, stop, [this] { return !tasks_.empty(); });
      continue;
    }
    const auto tasks = tasks_.size();
    if (due > steady_clock::now()) {
      wake_.wait_until(lock, stop, due, [this, tasks] { return tasks_.size() > tasks; });
      continue;
    }
    const auto facts = read_();
    const auto now = steady_clock::now();
    std::vector<TaskMetrics> samples;
    for (auto& [id, task] : tasks_) {
      if (task.next > now) continue;
      samples.push_back(sample(id, task, facts, now));
      task.next = now + std::max(task.profile.interval, shortest_interval);
    }
    lock.unlock();
    for (const auto& metrics : samples) publish_(metrics);
    lock.lock();
  }
}

}  // namespace coffer::fleet::worker

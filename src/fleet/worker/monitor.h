// Samples of running tasks, as their monitoring profile asks. Tasks in this process are told by the whole process, as
// upstream tells them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "fleet/commands.h"
#include "fleet/telemetry.h"
#include "fleet/worker/machine_facts.h"

namespace coffer::fleet::worker {

class Monitor {
 public:
  using Publish = std::function<void(const TaskMetrics&)>;
  // `read`: for tests; none: this process's.
  explicit Monitor(std::string own_id, Publish publish, std::function<ProcessFacts()> read = {});
  ~Monitor();

  // Nothing is sampled where the profile is switched off. Nobody waits for a sample.
  void watch(const std::string& task_id, const MonitoringProfile& profile);
  void unwatch(const std::string& task_id);

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Watched {
    MonitoringProfile profile;
    Instant begun, next;
    CpuMeter cpu{};
    std::deque<TaskMetrics::Sample> history{};
  };
  void run(const std::stop_token& stop);
  TaskMetrics sample(const std::string& id, Watched& task, const ProcessFacts& facts, Instant now) const;

  std::string own_id_;
  Publish publish_;
  std::function<ProcessFacts()> read_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::map<std::string, Watched> tasks_;
  std::jthread thread_;
};

// Over what is kept of a task's samples; nothing where none is.
std::optional<TaskMetrics::Aggregated> aggregate(const std::deque<TaskMetrics::Sample>& history);

}  // namespace coffer::fleet::worker

// The tasks of this worker: which run, which have just ended, which stand ready for invocations.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "fleet/worker/runtimes/runtime.h"

namespace coffer::fleet::worker {

// A latent task, compiled: invocations run it.
struct ReadyTask {
  StartCommand task;
  PreparedModule module;
  Runtime* runtime;
};

class TaskTable {
 public:
  enum class Admission {
    admitted,
    running,  // a start of this id is under way: deliveries come twice (trap 9)
    ended,    // it has just ended: the same delivery again
  };

  explicit TaskTable(Duration window) : window_(window) {}

  // `token`: filled where admitted. `now` is of the steady clock.
  using Instant = std::chrono::steady_clock::time_point;
  // A start that names its run is the same as another of that run, however late it comes; without one it is the same
  // for a moment, for a schedule starts a task again under its own id.
  Admission begin(const std::string& id, const std::string& run, std::stop_token& token,
                  Instant now = std::chrono::steady_clock::now());
  // `result`: what was answered, to be answered again; empty for nothing.
  void end(const std::string& id, const std::string& run, std::string result,
           Instant now = std::chrono::steady_clock::now());
  // The answer of a task that has just ended.
  std::optional<std::string> last_result(const std::string& id) const;

  // An invocation runs beside its task and is stopped with it.
  std::stop_token begin_invocation(const std::string& task_id, const std::string& run_id);
  void end_invocation(const std::string& task_id, const std::string& run_id);

  void make_ready(std::shared_ptr<const ReadyTask> task);
  std::shared_ptr<const ReadyTask> ready(const std::string& id) const;

  // Stops the task, its invocations, and forgets that it was ready. False where none of it was there.
  bool stop(const std::string& id);
  void stop_all();
  std::size_t running() const;

 private:
  struct Ended {
    std::string id, run, result;
    Instant until;
  };
  static constexpr Duration run_window = std::chrono::minutes{15};
  static constexpr std::size_t most_ended = 4096, most_ended_bytes = 64U << 20;
  void forget_old(Instant now);

  const Duration window_;
  mutable std::mutex mutex_;
  std::map<std::string, std::stop_source> running_;
  std::map<std::string, std::map<std::string, std::stop_source>> invocations_;  // by task
  std::map<std::string, std::shared_ptr<const ReadyTask>> ready_;
  std::deque<Ended> ended_;  // oldest first
  std::size_t ended_bytes_ = 0;
};

}  // namespace coffer::fleet::worker

// Who is asked about tasks and told of them. Called on the threads that run tasks; each call has its time.
#pragma once

#include <map>
#include <string>

#include "fleet/worker/runtimes/runtime.h"

namespace coffer::fleet::worker {

class TaskHooks {
 public:
  using Environment = std::map<std::string, std::string>;
  virtual ~TaskHooks() = default;

  // Before anything is fetched. An error refuses the task, and is its result.
  virtual Result<> authorize(const StartCommand& task) = 0;
  // Variables for the guest, which win over the task's own.
  virtual Environment enrich(const StartCommand& task) = 0;
  // Just before the module runs, with all that its environment has.
  virtual void task_starts(const StartCommand& task, const Environment& environment) = 0;
  // After the result has gone out. Only of tasks that began.
  virtual void task_ended(const StartCommand& task, const RunReport& report) = 0;
};

}  // namespace coffer::fleet::worker

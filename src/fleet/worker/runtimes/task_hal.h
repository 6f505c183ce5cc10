// What tasks in this process get of elastic:hal, as this worker's operator allows it.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "fleet/worker/config.h"
#include "fleet/worker/runtimes/runtime.h"
#include "workload/execution.h"
#include "workload/hal/hal.h"

namespace coffer::fleet::worker {

class TeeAccess;

class TaskHal {
 public:
  // Makes the place of what tasks store anew; where it cannot be made, tasks that name no folder have no storage, and a
  // warning says so. `tee` outlives the object.
  static std::shared_ptr<const TaskHal> open(const HalConfig& config, const std::string& own_id, TeeAccess& tee);
  explicit TaskHal(workload::hal::Services services)
      : services_(std::make_shared<const workload::hal::Services>(std::move(services))) {}
  TaskHal(const TaskHal&) = delete;
  TaskHal& operator=(const TaskHal&) = delete;
  // Removes the place again. No task runs any more.
  ~TaskHal();

  // hal.storage_refused where the start names a folder that the operator does not allow.
  Result<> check(const StartCommand& task) const;
  // Adds what answers the guest's calls, for as long as the execution is kept. Limits and stop token must be set.
  void add_to(workload::Execution& execution, const Run& run, const PreparedModule& module) const;

 private:
  std::shared_ptr<const workload::hal::Services> services_;
};

}  // namespace coffer::fleet::worker

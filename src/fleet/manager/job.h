// Tasks that are started and stopped together.
#pragma once

#include <span>

#include "fleet/manager/task.h"

namespace coffer::fleet::manager {

enum class JobMode {
  parallel,      // all that depend on nothing at once, the others as their dependencies end
  sequential,    // one after the other, in the order of their dependencies, then as they were given
  configurable,  // as parallel: by the dependencies alone
};
std::string_view name_of(JobMode mode);
Result<JobMode> parse_job_mode(std::string_view name);

struct Job {
  std::string id, name;
  JobMode mode = JobMode::parallel;
  bool started = false;
  std::optional<TimePoint> created_at{}, start_time{}, finish_time{};
};

// As upstream computes it for lists: failed as soon as one failed or was interrupted, completed when all are at an end.
TaskState state_of(const Job& job, std::span<const Task> tasks);

// What is to be started now. `tasks` in the order they were given.
std::vector<std::string> ready_tasks(const Job& job, std::span<const Task> tasks);

// {"job_id","name","state","execution_mode","tasks","start_time","finish_time","created_at"}
codec::json::Object to_json(const Job& job, std::span<const Task> tasks);

}  // namespace coffer::fleet::manager

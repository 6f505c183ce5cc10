#include "fleet/manager/job.h"

#include <algorithm>
#include <array>

namespace coffer::fleet::manager {
namespace {

constexpr std::array<std::string_view, 3> mode_names{"parallel", "sequential", "configurable"};

TaskState state_among(std::span<const Task> tasks, std::string_view id) {
  const auto found = std::ranges::find_if(tasks, [&](const Task& task) { return task.id() == id; });
  return found == tasks.end() ? TaskState::completed : found->state;
}

// A job's tasks start when all they depend on is at an end, whatever run_if says (upstream's rule): the first failure
// ends the job anyway.
bool may_start(const Task& task, std::span<const Task> tasks) {
  return task.state == TaskState::pending && std::ranges::all_of(task.depends_on, [&](const std::string& id) {
           return is_terminal(state_among(tasks, id));
         });
}

}  // namespace

std::string_view name_of(JobMode mode) {
  return mode_names.at(static_cast<std::size_t>(mode));
}

Result<JobMode> parse_job_mode(std::string_view name) {
  for (std::size_t i = 0; i < mode_names.size(); ++i) {
    if (mode_names[i] == name) return static_cast<JobMode>(i);
  }
  return fail(ManagerError::bad_request,
              "execution_mode is expected to be parallel, sequential or configurable, in the job or in "
              "JOB_EXECUTION_MODE, found \"" +
                  std::string{name.substr(0, 64)} + "\"");
}

TaskState state_of(const Job& job, std::span<const Task> tasks) {
  const auto any = [&](TaskState state) {
    return std::ranges::any_of(tasks, [&](const Task& task) { return task.state == state; });
  };
  if (any(TaskState::failed) || any(TaskState::interrupted)) return TaskState::failed;
  if (std::ranges::all_of(tasks, [](const Task& task) { return is_terminal(task.state); })) return TaskState::completed;
  const bool begun =
      job.started || std::ranges::any_of(tasks, [](const Task& t) { return t.state != TaskState::pending; });
  return begun ? TaskState::running : TaskState::pending;
}

std::vector<std::string> ready_tasks(const Job& job, std::span<const Task> tasks) {
  std::vector<std::string> ready;
  const bool busy = std::ranges::any_of(tasks, [](const Task& task) { return is_active(task.state); });
  if (job.mode == JobMode::sequential && busy) return ready;
  for (const auto& task : tasks) {
    if (!may_start(task, tasks)) continue;
    ready.push_back(task.id());
    if (job.mode == JobMode::sequential) break;
  }
  return ready;
}

codec::json::Object to_json(const Job& job, std::span<const Task> tasks) {
  codec::json::Array list;
  for (const auto& task : tasks) list.emplace_back(to_json(task));
  codec::json::Object object{{"job_id", job.id}};
  if (!job.name.empty()) object.append("name", job.name);
  object.append("state", static_cast<int>(state_of(job, tasks)));
  object.append("execution_mode", name_of(job.mode));
  object.append("tasks", std::move(list));
  object.append("start_time", time_text(job.start_time));
  object.append("finish_time", time_text(job.finish_time));
  object.append("created_at", time_text(job.created_at));
  return object;
}

}  // namespace coffer::fleet::manager

// A task as a client writes it (POST /tasks, the elements of jobs and workflows, PUT /tasks/{id}).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "fleet/manager/task.h"

namespace coffer::fleet::manager {

inline constexpr std::size_t max_body_size = 100U << 20;  // upstream's
inline constexpr std::size_t max_metadata_size = 1U << 20;
inline constexpr std::size_t max_tasks_in_body = 1000;

struct TaskBody {
  Task task;  // with the id the client gave, which may be empty
  std::optional<Bytes> file{};
};

// Members that upstream's clients may send and that a client cannot decide (state, results, times) are passed over.
// FleetError::bad_member, missing_member, ManagerError::bad_request, bad_cron, bad_time_zone.
Result<TaskBody> read_task_body(const codec::json::Object& object, std::string_view what);
// The same where the worker's part has been read.
Result<TaskBody> read_task_body(const codec::json::Object& object, std::string_view what, StartCommand work);
Result<TaskBody> parse_task(std::string_view body);

// Nothing where a member is absent: then the task keeps what it has. An empty schedule takes it away.
struct TaskUpdate {
  std::optional<std::string> name{}, schedule{}, timezone{};
  std::optional<std::vector<std::string>> inputs{};
  std::optional<Bytes> file{};
  std::optional<int> priority{};
  std::optional<codec::json::Value> metadata{};
  std::optional<bool> is_recurring{};
};
Result<TaskUpdate> parse_task_update(std::string_view body);

struct JobBody {
  std::string name, execution_mode;
  std::vector<TaskBody> tasks;
};
Result<JobBody> parse_job(std::string_view body);
Result<std::vector<TaskBody>> parse_workflow(std::string_view body);

struct InvokeBody {
  std::vector<std::string> inputs{};
  std::map<std::string, std::string> env{};
};
Result<InvokeBody> parse_invoke_body(std::string_view body);

// A schedule that is empty or parses, in a zone that exists.
Result<> check_schedule(std::string_view schedule, std::string_view zone);

// The magic bytes of a module or component (the core specification's section 5.5.16).
bool is_wasm(ByteView data);

}  // namespace coffer::fleet::manager

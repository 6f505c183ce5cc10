#include "fleet/manager/rest/task_body.h"

#include <algorithm>
#include <array>

#include "fleet/detail/members.h"
#include "fleet/manager/cron.h"

namespace coffer::fleet::manager {
namespace {

using codec::json::Object;
using codec::json::Value;
using fleet::detail::Members;

constexpr codec::json::Limits body_limits{.max_size = max_body_size, .max_depth = 48, .max_values = 1U << 18};
constexpr unsigned most_retries = 100;

Result<Object> parse_body(std::string_view body) {
  auto value = codec::json::parse(body, body_limits);
  if (!value) return fail(ManagerError::bad_request, "the body is not JSON: " + value.error().message);
  auto* object = value->if_object();
  if (object == nullptr) {
    return fail(ManagerError::bad_request, "an object is expected, found " + std::string{value->type_name()});
  }
  return std::move(*object);
}

std::unexpected<Error> bad(std::string_view what, std::string text) {
  return fail(ManagerError::bad_request, std::string{what} + ": " + std::move(text));
}

template <std::size_t N>
Result<std::string> one_of(const Members& members, std::string_view key,
                           const std::array<std::string_view, N>& allowed) {
  auto text = TRY(members.line(key));
  if (text.empty() || std::ranges::find(allowed, text) != allowed.end()) return text;
  std::string list;
  for (const auto name : allowed) list += (list.empty() ? "" : ", ") + std::string{name};
  return bad(members.path(key), "expected one of " + list + ", found \"" + text + "\"");
}

Result<int> read_priority(const Members& members, int fallback) {
  const auto* value = members.find("priority");
  if (value == nullptr) return fallback;
  const auto number = value->if_int64();
  if (!number || *number < 0 || *number > 100) {
    return bad(members.path("priority"), "expected a number from 0 to 100, found " + codec::json::serialize(*value));
  }
  return static_cast<int>(*number);
}

Result<Value> read_metadata(const Members& members) {
  const auto* value = members.find("metadata");
  if (value == nullptr) return Value{};
  if (!value->is_object()) return fail(members.bad("metadata", "an object", *value));
  if (codec::json::serialize(*value).size() > max_metadata_size) {
    return bad(members.path("metadata"), "at most 1 MiB is allowed");
  }
  return *value;
}

Result<> read_schedule(const Members& members, Task& task) {
  task.schedule = TRY(members.line("schedule"));
  task.timezone = TRY(members.line("timezone"));
  task.is_recurring = TRY(members.flag("is_recurring", false));
  constexpr std::array<std::string_view, 2> policies{"skip", "once"};
  if (TRY(one_of(members, "catch_up", policies)) == "once") task.catch_up = CatchUp::once;
  return check_schedule(task.schedule, task.timezone);
}

Result<> read_order(const Members& members, Task& task) {
  task.depends_on = TRY(members.texts("depends_on"));
  constexpr std::array<std::string_view, 2> conditions{"success", "failure"};
  task.run_if = TRY(one_of(members, "run_if", conditions));
  task.priority = TRY(read_priority(members, task.priority));
  const auto retries = TRY(members.count("retries"));
  if (retries > most_retries)
    return bad(members.path("retries"), "expected at most 100, found " + std::to_string(retries));
  task.retries = static_cast<unsigned>(retries);
  const auto delay = TRY(members.count("retry_delay_seconds"));
  task.retry_delay = std::chrono::seconds{std::min<std::uint64_t>(delay, 86'400)};
  return {};
}

Result<> read_place(const Members& members, Task& task) {
  task.requires_.tags = TRY(members.texts("required_tags"));
  task.requires_.tee = TRY(members.optional_identifier("required_tee"));
  task.requires_.memory_bytes = TRY(members.count("required_memory_bytes"));
  constexpr std::array<std::string_view, 2> choices{"wait", "fail"};
  const auto choice = TRY(one_of(members, "on_unavailable", choices));
  if (!choice.empty()) task.on_unavailable = choice == "wait" ? OnUnavailable::wait : OnUnavailable::fail;
  constexpr std::array<std::string_view, 2> kinds{"standard", "federated"};
  task.kind = TRY(one_of(members, "kind", kinds));
  if (task.work.broadcast && !task.work.proplet_id.empty()) {
    return bad(members.path("broadcast"), "broadcast and proplet_id are mutually exclusive");
  }
  return {};
}

// The members that go to the worker are read as the worker will read them.
Result<StartCommand> read_work(Object object, std::string_view what) {
  object.set("state", 0);
  if (const auto* id = object.find("id");
      id == nullptr || id->is_null() || id->if_string() == nullptr || id->if_string()->empty()) {
    object.set("id", "-");
  }
  auto work = read_start(object, what);
  if (!work) return work;
  if (work->id == "-") work->id.clear();
  if (work->name.empty()) {
    return fail(FleetError::missing_member, std::string{what} + ".name: expected text, found none");
  }
  return work;
}

Result<std::vector<TaskBody>> read_tasks(const Object& object) {
  const auto* value = object.find("tasks");
  const auto* array = value != nullptr ? value->if_array() : nullptr;
  if (array == nullptr || array->empty() || array->size() > max_tasks_in_body) {
    return bad("tasks", "expected an array of 1 to " + std::to_string(max_tasks_in_body) + " tasks");
  }
  std::vector<TaskBody> tasks;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const auto what = "tasks[" + std::to_string(i) + "]";
    const auto* task = (*array)[i].if_object();
    if (task == nullptr) return bad(what, "expected an object, found " + std::string{(*array)[i].type_name()});
    tasks.push_back(TRY(read_task_body(*task, what)));
  }
  return tasks;
}

}  // namespace

Result<> check_schedule(std::string_view schedule, std::string_view zone) {
  if (!zone.empty()) TRY(check_time_zone(zone));
  if (!schedule.empty()) TRY(Cron::parse(schedule));
  return {};
}

bool is_wasm(ByteView data) {
  return data.size() >= 8 && as_text(data.first(4)) == std::string_view{"\0asm", 4};
}

Result<TaskBody> read_task_body(const Object& object, std::string_view what) {
  auto work = TRY(read_work(object, what));
  return read_task_body(object, what, std::move(work));
}

Result<TaskBody> read_task_body(const Object& object, std::string_view what, StartCommand work) {
  const Members members{object, what};
  TaskBody body;
  auto& task = body.task;
  task.work = std::move(work);
  body.file = std::move(task.work.file);
  task.work.file.reset();
  task.has_file = body.file.has_value();
  TRY(read_order(members, task));
  TRY(read_place(members, task));
  TRY(read_schedule(members, task));
  task.metadata = TRY(read_metadata(members));
  return body;
}

Result<TaskBody> parse_task(std::string_view body) {
  return read_task_body(TRY(parse_body(body)), "task");
}

Result<TaskUpdate> parse_task_update(std::string_view body) {
  const auto object = TRY(parse_body(body));
  const Members members{object, "task"};
  TaskUpdate update;
  if (members.find("name") != nullptr) update.name = TRY(members.line("name"));
  if (const auto* inputs = members.find("inputs")) update.inputs = TRY(read_inputs(*inputs, "task.inputs"));
  update.file = TRY(members.base64("file"));
  if (members.find("priority") != nullptr) update.priority = TRY(read_priority(members, 0));
  if (members.find("metadata") != nullptr) update.metadata = TRY(read_metadata(members));
  if (members.find("schedule") != nullptr) update.schedule = TRY(members.line("schedule"));
  if (members.find("timezone") != nullptr) update.timezone = TRY(members.line("timezone"));
  if (members.find("is_recurring") != nullptr) update.is_recurring = TRY(members.flag("is_recurring", false));
  TRY(check_schedule(update.schedule.value_or(""), update.timezone.value_or("")));
  return update;
}

Result<JobBody> parse_job(std::string_view body) {
  const auto object = TRY(parse_body(body));
  const Members members{object, "job"};
  JobBody job;
  job.name = TRY(members.line("name"));
  constexpr std::array<std::string_view, 3> modes{"parallel", "sequential", "configurable"};
  job.execution_mode = TRY(one_of(members, "execution_mode", modes));
  job.tasks = TRY(read_tasks(object));
  return job;
}

Result<std::vector<TaskBody>> parse_workflow(std::string_view body) {
  return read_tasks(TRY(parse_body(body)));
}

Result<InvokeBody> parse_invoke_body(std::string_view body) {
  if (body.empty()) return InvokeBody{};
  const auto object = TRY(parse_body(body));
  const Members members{object, "invoke"};
  InvokeBody invoke;
  if (const auto* inputs = members.find("inputs")) invoke.inputs = TRY(read_inputs(*inputs, "invoke.inputs"));
  invoke.env = TRY(members.text_map("env"));
  return invoke;
}

}  // namespace coffer::fleet::manager

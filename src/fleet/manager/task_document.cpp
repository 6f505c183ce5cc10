// A task in the store: what REST shows, and under "_" what it does not, or shows as text.
#include "fleet/detail/members.h"
#include "fleet/manager/rest/task_body.h"
#include "fleet/manager/task.h"
#include "fleet/telemetry.h"

namespace coffer::fleet::manager {
namespace {

using codec::json::Object;
using codec::json::Value;
using fleet::detail::Members;

void append_time(Object& object, std::string_view key, const std::optional<TimePoint>& time) {
  if (time) object.append(std::string{key}, time->time_since_epoch().count());
}

Result<std::optional<TimePoint>> time_member(const Members& members, std::string_view key) {
  const auto* value = members.find(key);
  if (value == nullptr) return std::nullopt;
  const auto count = TRY(value->as_int64(key));
  return TimePoint{Duration{count}};
}

// What is absent is empty, false or zero.
Object hidden(const Task& task) {
  Object object;
  append_time(object, "start", task.start_time);
  append_time(object, "finish", task.finish_time);
  append_time(object, "created", task.created_at);
  append_time(object, "updated", task.updated_at);
  append_time(object, "next", task.next_run);
  append_time(object, "queued", task.queued_at);
  append_time(object, "not_before", task.not_before);
  fleet::detail::append_text(object, "pinned", task.work.proplet_id);
  fleet::detail::append_text(object, "assigned", task.assigned);
  fleet::detail::append_text(object, "run", task.work.run);
  if (task.waits) object.append("waits", true);
  if (task.stop_requested) object.append("stop", true);
  if (task.has_file) object.append("has_file", true);
  if (!task.expected.empty()) object.append("expected", fleet::detail::text_array(task.expected));
  if (task.attempt != 0) object.append("attempt", task.attempt);
  fleet::detail::append_text(object, "trace", task.trace);
  return object;
}

Result<> read_hidden_times(const Members& members, Task& task) {
  task.start_time = TRY(time_member(members, "start"));
  task.finish_time = TRY(time_member(members, "finish"));
  task.created_at = TRY(time_member(members, "created"))
  .value_or(TimePoint{});
  task.updated_at = TRY(time_member(members, "updated"))
  .value_or(TimePoint{});
  task.next_run = TRY(time_member(members, "next"));
  task.queued_at = TRY(time_member(members, "queued"));
  task.not_before = TRY(time_member(members, "not_before"));
  return {};
}

Result<> read_hidden(const Object& object, Task& task) {
  const Members members{object, "_"};
  TRY(read_hidden_times(members, task));
  task.work.proplet_id = TRY(members.text("pinned"));
  task.assigned = TRY(members.text("assigned"));
  task.work.run = TRY(members.text("run"));
  task.claimed_by = TRY(members.text("claimed_by"));  // of a database before schema 3
  task.waits = TRY(members.flag("waits", false));
  task.stop_requested = TRY(members.flag("stop", false));
  task.has_file = TRY(members.flag("has_file", false));
  const auto* expected = members.find("expected");
  const auto* workers = expected != nullptr ? expected->if_array() : nullptr;
  for (const auto& worker : workers != nullptr ? *workers : codec::json::Array{}) {
    if (const auto* id = worker.if_string()) task.expected.push_back(*id);
  }
  task.attempt = static_cast<unsigned>(TRY(members.count("attempt")));
  task.trace = members.hint("trace");
  return {};
}

Result<> read_outcome(const Members& members, Task& task) {
  task.state = static_cast<TaskState>(TRY(members.count("state")));
  task.workflow_id = TRY(members.text("workflow_id"));
  task.job_id = TRY(members.text("job_id"));
  if (const auto* results = members.find("results")) task.results = *results;
  task.error = TRY(members.text("error"));
  task.code = TRY(members.text("code"));
  task.reason = TRY(members.text("reason"));
  task.proplet_results = TRY(members.object("proplet_results"));
  auto& details = task.details;
  details.stdout_text = TRY(members.text("stdout"));
  details.stderr_text = TRY(members.text("stderr"));
  details.module_digest = TRY(members.text("result_module_digest"));
  details.signature = TRY(members.text("result_signature"));
  details.lasting = TRY(members.flag("lasting", false));
  if (const auto* code = members.find("exit_code")) {
    details.exit_code = static_cast<int>(TRY(code->as_int64("exit_code")));
  }
  return {};
}

Result<Task> read(std::string_view document) {
  const auto value = TRY(codec::json::parse(document, {.max_size = 256U << 20, .max_depth = 64}));
  const auto* object = TRY(value.as_object("task"));
  const Members members{*object, "task"};
  auto work = TRY(read_start(*object, "task"));
  auto body = TRY(read_task_body(*object, "task", std::move(work)));
  auto task = std::move(body.task);
  task.work.id = TRY(members.identifier("id"));
  TRY(read_outcome(members, task));
  TRY(read_hidden(TRY(members.object("_")), task));
  return task;
}

}  // namespace

std::string to_document(const Task& task) {
  auto object = members_of(task);
  object.append("_", hidden(task));
  return codec::json::serialize(object);
}

Result<Task> parse_document(std::string_view document) {
  auto task = read(document);
  if (!task) return fail(ManagerError::internal, "a task in the store cannot be read: " + task.error().message);
  return task;
}

}  // namespace coffer::fleet::manager

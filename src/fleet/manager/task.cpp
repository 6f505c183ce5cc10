#include "fleet/manager/task.h"

#include "codec/base64.h"
#include "fleet/detail/members.h"
#include "fleet/telemetry.h"

namespace coffer::fleet::manager {
namespace {

using codec::json::Object;
using codec::json::Value;
using fleet::detail::append_text;
using fleet::detail::text_array;
using fleet::detail::text_object;

void append_texts(Object& object, std::string_view key, const std::vector<std::string>& texts) {
  if (!texts.empty()) object.append(std::string{key}, text_array(texts));
}

void append_true(Object& object, std::string_view key, bool value) {
  if (value) object.append(std::string{key}, true);
}

void append_work(Object& object, const Task& task) {
  const auto& work = task.work;
  append_text(object, "image_url", work.image_url);
  object.append("cli_args", work.cli_args.empty() ? Value{} : Value{text_array(work.cli_args)});
  append_texts(object, "inputs", work.inputs);
  if (!work.env.empty()) object.append("env", text_object(work.env));
  object.append("daemon", work.daemon);
  object.append("latent", work.latent);
  object.append("encrypted", work.encrypted);
  append_text(object, "kbs_resource_path", work.kbs_resource_path);
  append_text(object, "proplet_id", task.assigned.empty() ? work.proplet_id : task.assigned);
  if (work.monitoring_profile) object.append("monitoring_profile", write_monitoring_profile(*work.monitoring_profile));
  append_text(object, "mode", work.mode);
  append_true(object, "broadcast", work.broadcast);
  append_text(object, "hal_storage_path", work.hal_storage_path);
}

void append_times(Object& object, const Task& task) {
  object.append("start_time", time_text(task.start_time));
  object.append("finish_time", time_text(task.finish_time));
  object.append("created_at", time_text(task.created_at));
  object.append("updated_at", time_text(task.updated_at));
  object.append("next_run", time_text(task.next_run));
}

void append_outcome(Object& object, const Task& task) {
  if (!task.results.is_null()) object.append("results", task.results);
  append_text(object, "error", task.error);
  append_text(object, "schedule", task.schedule);
  append_true(object, "is_recurring", task.is_recurring);
  append_text(object, "timezone", task.timezone);
  object.append("priority", task.priority);
  if (!task.metadata.is_null()) object.append("metadata", task.metadata);
}

void append_limits(Object& object, const Task& task) {
  const auto& work = task.work;
  append_text(object, "kbs_uri", work.kbs_uri);
  append_text(object, "module_digest", work.module_digest);
  if (work.module_signature) object.append("module_signature", write_module_signature(*work.module_signature));
  if (work.fuel) object.append("fuel", *work.fuel);
  if (work.memory_bytes) object.append("memory_bytes", *work.memory_bytes);
  if (work.timeout) object.append("timeout_seconds", static_cast<double>(work.timeout->count()) / 1000);
  append_texts(object, "required_tags", task.requires_.tags);
  append_text(object, "required_tee", task.requires_.tee);
  if (task.requires_.memory_bytes != 0) object.append("required_memory_bytes", task.requires_.memory_bytes);
  if (task.retries != 0) object.append("retries", task.retries);
  if (task.retry_delay.count() != 0) object.append("retry_delay_seconds", task.retry_delay.count());
  if (task.catch_up == CatchUp::once) object.append("catch_up", "once");
  if (task.on_unavailable) {
    object.append("on_unavailable", *task.on_unavailable == OnUnavailable::wait ? "wait" : "fail");
  }
}

void append_ours(Object& object, const Task& task) {
  append_limits(object, task);
  if (task.attempt > 1) object.append("attempt", task.attempt);
  append_text(object, "reason", task.reason);
  append_text(object, "code", task.code);
  append_text(object, "stdout", task.details.stdout_text);
  append_text(object, "stderr", task.details.stderr_text);
  if (task.details.exit_code) object.append("exit_code", *task.details.exit_code);
  append_text(object, "result_module_digest", task.details.module_digest);
  append_text(object, "result_signature", task.details.signature);
  append_true(object, "lasting", task.details.lasting);
  if (!task.proplet_results.empty()) object.append("proplet_results", task.proplet_results);
}

}  // namespace

bool is_terminal(TaskState state) {
  return state >= TaskState::completed;
}

bool is_active(TaskState state) {
  return state == TaskState::scheduled || state == TaskState::running;
}

std::string time_text(const std::optional<TimePoint>& time) {
  return time && time->time_since_epoch().count() != 0 ? write_timestamp(*time) : "0001-01-01T00:00:00Z";
}

std::string redacted(std::string_view base64) {
  constexpr std::size_t shown = 10;
  if (base64.size() <= 2 * shown) return std::string{base64};
  return std::string{base64.substr(0, shown)} + "<REDACTED>" + std::string{base64.substr(base64.size() - shown)};
}

Object to_json(const Task& task) {
  auto object = members_of(task);
  append_times(object, task);
  return object;
}

Object members_of(const Task& task) {
  Object object{{"id", task.work.id}, {"name", task.work.name}};
  append_text(object, "kind", task.kind);
  object.append("state", static_cast<int>(task.state));
  append_work(object, task);
  append_texts(object, "depends_on", task.depends_on);
  append_text(object, "run_if", task.run_if);
  append_text(object, "workflow_id", task.workflow_id);
  append_text(object, "job_id", task.job_id);
  append_outcome(object, task);
  append_ours(object, task);
  return object;
}

}  // namespace coffer::fleet::manager

#include "fleet/manager/plugins/plugin_messages.h"

#include <array>

#include "fleet/detail/members.h"

namespace coffer::fleet::manager {
namespace {

using codec::json::Object;
using detail::append_text;
using detail::Members;

constexpr std::array<std::string_view, 6> action_names{"create", "start", "stop", "invoke", "delete", "update"};

Object task_info(const Task& task) {
  Object info{{"id", task.id()}, {"name", task.work.name}};
  append_text(info, "kind", task.kind);
  append_text(info, "image_url", task.work.image_url);
  if (!task.work.inputs.empty()) info.append("inputs", detail::text_array(task.work.inputs));
  if (!task.work.cli_args.empty()) info.append("cli_args", detail::text_array(task.work.cli_args));
  if (!task.work.env.empty()) info.append("env", detail::text_object(task.work.env));
  append_text(info, "proplet_id", task.work.proplet_id);
  if (task.priority != 0) info.append("priority", task.priority);
  if (task.work.daemon) info.append("daemon", true);
  if (task.work.encrypted) info.append("encrypted", true);
  if (task.created_at != TimePoint{}) info.append("created_at", format_rfc3339(task.created_at));
  return info;
}

Object context_of(std::string_view user, std::optional<PluginAction> action) {
  Object context;
  append_text(context, "user_id", std::string{user});
  context.append("action", action ? action_name(*action) : "");
  return context;
}

Object worker_info(const Worker& worker) {
  Object info{{"id", worker.id}, {"name", worker.name}};
  if (!worker.metadata.tags.empty()) info.append("tags", detail::text_array(worker.metadata.tags));
  if (const auto bytes = worker.metadata.total_memory_bytes.value_or(0); bytes != 0) {
    info.append("total_memory_bytes", bytes);
  }
  append_text(info, "location", worker.metadata.location.value_or(""));
  return info;
}

Result<Object> answer_object(std::string_view answer) {
  if (answer.empty()) return Object{};
  return detail::parse_object(answer);
}

}  // namespace

std::string_view action_name(PluginAction action) {
  return action_names.at(static_cast<std::size_t>(action));
}

std::string plugin_request(std::string_view user, std::optional<PluginAction> action, const Task& task) {
  return codec::json::serialize(Object{{"context", context_of(user, action)}, {"task", task_info(task)}});
}

std::string plugin_dispatch_request(std::string_view user, const Task& task, const Worker& worker) {
  return codec::json::serialize(
      Object{{"context", context_of(user, std::nullopt)}, {"task", task_info(task)}, {"proplet", worker_info(worker)}});
}

std::string plugin_event(const Task& task) {
  Object event{{"task", task_info(task)}};
  if (task.state == TaskState::completed) event.append("success", true);
  append_text(event, "error", task.error);
  return codec::json::serialize(event);
}

Result<PluginVerdict> parse_plugin_verdict(std::string_view answer) {
  const auto object = TRY(answer_object(answer));
  const Members members{object, "answer"};
  PluginVerdict verdict;
  verdict.allow = TRY(members.flag("allow", false));
  verdict.reason = TRY(members.text("reason"));
  verdict.required_tags = TRY(members.texts("required_tags"));
  verdict.min_memory_bytes = TRY(members.count("min_memory_bytes"));
  verdict.extra_env = TRY(members.text_map("extra_env"));
  return verdict;
}

Result<PluginEnrichment> parse_plugin_enrichment(std::string_view answer) {
  const auto object = TRY(answer_object(answer));
  const Members members{object, "answer"};
  PluginEnrichment enrichment;
  enrichment.env = TRY(members.text_map("env"));
  enrichment.inputs = TRY(members.texts("inputs"));
  enrichment.image_url = TRY(members.line("image_url"));
  if (const auto priority = TRY(members.optional_count("priority"))) {
    if (*priority > 100) return fail(members.bad("priority", "a number from 0 to 100", *members.find("priority")));
    enrichment.priority = static_cast<int>(*priority);
  }
  return enrichment;
}

}  // namespace coffer::fleet::manager

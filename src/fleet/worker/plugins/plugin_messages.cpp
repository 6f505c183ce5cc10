#include "fleet/worker/plugins/plugin_messages.h"

#include "evidence/eventlog/text.h"

namespace coffer::fleet::worker {
namespace {

using codec::cbor::Array;
using codec::cbor::Map;
using wasm::Value;

constexpr std::size_t max_reason = 1024;                    // bytes
constexpr std::string_view no_reason = "denied by plugin";  // upstream's words

// Text crosses to a component as UTF-8 alone; what guests print may be anything.
Value text(std::string_view any) {
  return evidence::eventlog::repaired_utf8(any);
}
Value optional_text(std::string_view any) {
  return any.empty() ? Value{} : Value{Array{text(any)}};
}
std::pair<Value, Value> field(std::string_view name, Value value) {
  return {std::string{name}, std::move(value)};
}

}  // namespace

Value task_info(const StartCommand& task, const TaskHooks::Environment& environment) {
  Array arguments, variables;
  for (const auto& argument : task.cli_args) arguments.push_back(text(argument));
  for (const auto& [name, value] : environment) variables.emplace_back(Array{text(name), text(value)});
  return Map{field("id", text(task.id)),
             field("name", text(task.name)),
             field("image-url", text(task.image_url)),
             field("cli-args", std::move(arguments)),
             field("env", std::move(variables)),
             field("daemon", task.daemon),
             field("encrypted", task.encrypted)};
}

Value task_result(const StartCommand& task, const RunReport& report) {
  return Map{field("task-id", text(task.id)), field("success", !report.error),
             field("output", report.sealed ? Value{} : optional_text(report.results)),
             field("error", report.error ? Value{Array{text(report.error->message)}} : Value{})};
}

std::optional<std::string> denial(const Value& response) {
  const auto* const allow = response.find("allow");
  const auto* const decided = allow != nullptr ? std::get_if<bool>(&allow->data()) : nullptr;
  if (decided != nullptr && *decided) return std::nullopt;
  const auto* const reason = response.find("reason");
  const auto* const some = reason != nullptr ? reason->if_array() : nullptr;
  const auto* const given = some != nullptr && some->size() == 1 ? some->front().if_text() : nullptr;
  if (given == nullptr || given->empty()) return std::string{no_reason};
  return evidence::eventlog::repaired_utf8(std::string_view{*given}.substr(0, max_reason));
}

void add_variables(const Value& response, TaskHooks::Environment& environment) {
  const auto* const list = response.find("env");
  if (list == nullptr || list->if_array() == nullptr) return;
  for (const auto& entry : *list->if_array()) {
    const auto* const pair = entry.if_array();
    if (pair == nullptr || pair->size() != 2) continue;
    const auto *const name = pair->front().if_text(), *const value = pair->back().if_text();
    if (name == nullptr || value == nullptr || name->empty()) continue;
    const bool fits = name->find_first_of(std::string_view{"=\0", 2}) == std::string::npos && !value->contains('\0');
    if (fits) environment.insert_or_assign(*name, *value);
  }
}

}  // namespace coffer::fleet::worker

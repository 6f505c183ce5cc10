#include "fleet/worker/plugins.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/log.h"
#include "evidence/eventlog/text.h"
#include "fleet/worker/plugin.h"

namespace coffer::fleet::worker {
namespace {

namespace fs = std::filesystem;
using codec::cbor::Array;
using codec::cbor::Map;
using wasm::Value;

constexpr std::size_t max_reason = 1024;                    // bytes of a denial's text
constexpr std::string_view no_reason = "denied by plugin";  // upstream's words

std::unexpected<Error> bad_directory(const fs::path& directory, const std::string& why) {
  return fail(WorkerError::bad_plugin, "the plugin directory " + directory.string() + " " + why);
}

Result<std::vector<fs::path>> plugin_files(const fs::path& directory) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator at{directory, error}, end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".wasm") files.push_back(at->path());
  }
  if (error) return bad_directory(directory, "cannot be read: " + error.message());
  if (files.size() > Plugins::max_plugins) {
    return bad_directory(directory, "has " + std::to_string(files.size()) + " plugins; at most " +
                                        std::to_string(Plugins::max_plugins) + " are loaded");
  }
  std::ranges::sort(files);
  return files;
}

Result<Bytes> read_plugin(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (!error && size > Plugins::max_size) {
    return fail(WorkerError::bad_plugin, "plugin " + file.string() + ": has " + std::to_string(size) +
                                             " bytes; at most " + std::to_string(Plugins::max_size) + " are read");
  }
  std::ifstream stream(file, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>{stream}, {}};
  if (error || !stream || content.size() != size) {
    return fail(WorkerError::bad_plugin, "plugin " + file.string() + ": cannot be read");
  }
  return to_bytes(content);
}

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

// The record task-info.
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

// The record task-result. An update that leaves sealed is for its aggregator alone.
Value task_result(const StartCommand& task, const RunReport& report) {
  return Map{field("task-id", text(task.id)), field("success", !report.error),
             field("output", report.sealed ? Value{} : optional_text(report.results)),
             field("error", report.error ? Value{Array{text(report.error->message)}} : Value{})};
}

// Nothing where it is allowed; the reason where it is not, or where the answer is no authorize-response.
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

// A name that no environment could carry is left out.
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

}  // namespace

Plugins::Plugins(std::vector<std::unique_ptr<Plugin>> plugins) : plugins_(std::move(plugins)) {}
Plugins::~Plugins() = default;

Result<std::unique_ptr<Plugins>> Plugins::load(wasm::Runtime& engine, const fs::path& directory,
                                               const PluginOptions& options) {
  std::vector<std::unique_ptr<Plugin>> plugins;
  for (const auto& file : TRY(plugin_files(directory))) {
    const auto content = TRY(read_plugin(file));
    auto plugin = Plugin::create(engine, file.filename().string(), content, options);
    if (!plugin) return fail(WorkerError::bad_plugin, "plugin " + file.string() + ": " + plugin.error().message);
    plugins.push_back(std::move(*plugin));
    log::info("worker.plugin", "loaded a plugin", {{"plugin", file.string()}});
  }
  if (plugins.empty()) log::warn("worker.plugin", "no plugin lies in " + directory.string());
  return std::unique_ptr<Plugins>(new Plugins(std::move(plugins)));
}

Result<> Plugins::authorize(const StartCommand& task) {
  const auto info = task_info(task, task.env);
  for (const auto& plugin : plugins_) {
    const auto response = TRY(plugin->call("authorize", info));
    if (auto reason = denial(response)) {
      log::warn("worker.plugin_denied", *reason, {{"plugin", plugin->name()}, {"task", task.id}});
      return fail(WorkerError::plugin_denied, std::move(*reason));
    }
  }
  return {};
}

Plugins::Environment Plugins::enrich(const StartCommand& task) {
  const auto info = task_info(task, task.env);
  Environment out;
  for (const auto& plugin : plugins_) {
    if (const auto response = plugin->call("enrich", info)) add_variables(*response, out);
  }
  return out;
}

void Plugins::task_starts(const StartCommand& task, const Environment& environment) {
  const auto info = task_info(task, environment);
  for (const auto& plugin : plugins_) (void)plugin->call("on-task-start", info);
}

void Plugins::task_ended(const StartCommand& task, const RunReport& report) {
  const auto result = task_result(task, report);
  for (const auto& plugin : plugins_) (void)plugin->call("on-task-complete", result);
}

}  // namespace coffer::fleet::worker

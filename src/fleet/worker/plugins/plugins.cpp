#include "fleet/worker/plugins/plugins.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/log.h"
#include "fleet/worker/plugins/plugin.h"
#include "fleet/worker/plugins/plugin_messages.h"

namespace coffer::fleet::worker {
namespace {

namespace fs = std::filesystem;

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

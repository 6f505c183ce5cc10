// The worker's plugins: components that export propeller:proplet-plugin/lifecycle@0.1.0, one kept instance each. They
// are the operator's; tasks have no say in them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "fleet/worker/plugins/task_hooks.h"
#include "wasm/runtime.h"

namespace coffer::fleet::worker {

class Plugin;

struct PluginOptions {
  Duration call_time = std::chrono::seconds{2};  // of one call, waiting for its turn included
  std::uint64_t memory = std::uint64_t{64} << 20;
  // Told of each call: "ok" or "failed".
  std::function<void(std::string_view plugin, std::string_view hook, std::string_view outcome)> observe{};
};

class Plugins final : public TaskHooks {
 public:
  static constexpr std::size_t max_plugins = 16;
  static constexpr std::size_t max_size = std::size_t{64} << 20;  // bytes of one file

  // All files *.wasm of the directory, in the order of their names. worker.bad_plugin names the file that is no such
  // component, or the directory that cannot be read. `engine` outlives the object.
  static Result<std::unique_ptr<Plugins>> load(wasm::Runtime& engine, const std::filesystem::path& directory,
                                               const PluginOptions& options = {});
  ~Plugins() override;

  // The first denial counts: worker.plugin_denied with the plugin's reason. A plugin that traps, hangs or answers
  // something else denies, too: worker.plugin_failed. It is then made anew for the next call.
  Result<> authorize(const StartCommand& task) override;
  // Of all plugins, the later ones winning. One that fails adds nothing, with a warning.
  Environment enrich(const StartCommand& task) override;
  void task_starts(const StartCommand& task, const Environment& environment) override;
  void task_ended(const StartCommand& task, const RunReport& report) override;

  std::size_t count() const { return plugins_.size(); }

 private:
  explicit Plugins(std::vector<std::unique_ptr<Plugin>> plugins);
  std::vector<std::unique_ptr<Plugin>> plugins_;
};

}  // namespace coffer::fleet::worker

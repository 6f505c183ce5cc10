// The manager's plugins, asked in the order of their names: who may do what with a task, what a task gets before it is
// made, where it may run. As with upstream's, a plugin that fails where it decides decides "no"; one that fails where
// it only adds or is told is passed over, and logged.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "fleet/manager/plugins/plugin.h"
#include "fleet/manager/plugins/plugin_messages.h"
#include "net/metrics.h"

namespace coffer::fleet::manager {

// On whose behalf this thread works while the object lives: what plugins get as context.user_id. Otherwise "system".
class CallerScope {
 public:
  explicit CallerScope(std::string user);
  ~CallerScope();
  CallerScope(const CallerScope&) = delete;
  CallerScope& operator=(const CallerScope&) = delete;
  static std::string_view current();

 private:
  std::optional<std::string> before_;
};

struct PluginOptions {
  std::filesystem::path directory{};
  Duration budget = std::chrono::seconds{1};  // of one call
};

// Safe to use from any thread.
class Plugins {
 public:
  // Every *.wasm of the directory. ManagerError::bad_plugin where the directory cannot be read or a file cannot be
  // used.
  static Result<std::unique_ptr<Plugins>> load(const PluginOptions& options, net::MetricsRegistry& metrics);
  ~Plugins();

  // ManagerError::plugin_denied, plugin_failed.
  Result<> authorize(PluginAction action, const Task& task);
  // Variables, priority, inputs and image that plugins give; later ones win.
  void enrich(Task& task);
  // What the worker must have beside the task's own requirements.
  Result<Requirements> before_select(const Task& task);
  // The variables that plugins add are put into the task.
  Result<> before_dispatch(Task& task, const Worker& worker);
  // Told by a thread of their own, in order; where too many wait, the rest is dropped and counted.
  void task_started(const Task& task);
  void task_completed(const Task& task);

 private:
  struct Metrics {
    net::Counter calls;
    net::Histogram seconds;
    net::Counter dropped;
  };
  struct Event {
    PluginHook hook;
    std::string request;
  };
  Plugins(std::unique_ptr<wasm::Runtime> runtime, std::vector<std::unique_ptr<Plugin>> plugins, Metrics metrics);

  Result<std::string> ask(Plugin& plugin, PluginHook hook, std::string_view request);
  // Nothing where it allows; the verdict is given to `take`.
  Result<PluginVerdict> verdict(Plugin& plugin, PluginHook hook, std::string_view request);
  void notify(PluginHook hook, const Task& task);
  void tell(const std::stop_token& stop);

  std::unique_ptr<wasm::Runtime> runtime_;
  std::vector<std::unique_ptr<Plugin>> plugins_;
  Metrics metrics_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Event> events_;
  std::jthread teller_;
};

}  // namespace coffer::fleet::manager

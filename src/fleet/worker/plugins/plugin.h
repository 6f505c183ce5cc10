// One plugin: a component and its instance, made anew after a call that failed. For plugins.cpp.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "fleet/worker/plugins/plugins.h"
#include "wasm/instance.h"

namespace coffer::fleet::worker {

class Plugin {
 public:
  // `name`: the file's, for logs and results. worker.bad_plugin: no component, not all four functions, or not to be
  // instantiated.
  static Result<std::unique_ptr<Plugin>> create(wasm::Runtime& engine, std::string name, ByteView module,
                                                const PluginOptions& options);

  // `function`: "authorize". worker.plugin_failed, naming plugin and function.
  Result<wasm::Value> call(std::string_view function, const wasm::Value& argument);
  const std::string& name() const { return name_; }

 private:
  Plugin(wasm::Runtime& engine, std::string name, wasm::Module module, const PluginOptions& options)
      : engine_(engine), name_(std::move(name)), module_(std::move(module)), options_(options) {}
  Result<> instantiate();
  // What it writes, by lines: a guest of Rust writes each piece of a formatted text by itself.
  void take_output(ByteView data);
  void log_line();
  Result<wasm::Value> call_instance(std::string_view function, const wasm::Value& argument, Duration budget);

  wasm::Runtime& engine_;
  const std::string name_;
  const wasm::Module module_;
  const PluginOptions options_;
  std::timed_mutex mutex_;  // guards what follows: an instance is one thread's at a time
  std::optional<wasm::Instance> instance_;
  std::string line_;
  std::size_t logged_ = 0;
};

}  // namespace coffer::fleet::worker

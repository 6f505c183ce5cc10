// One plugin: a core WASM module that is kept and called, one call at a time.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "fleet/manager/error.h"
#include "wasm/runtime.h"

namespace coffer::fleet::manager {

// The functions a plugin may export, each (pointer, size) of JSON -> pointer << 32 | size of JSON.
enum class PluginHook { authorize, enrich, before_select, before_dispatch, task_start, task_complete };
std::string_view hook_name(PluginHook hook);  // "authorize", "enrich_task", "on_before_proplet_select", ...

// A plugin's output becomes lines of the log; so much of a call's, and no more.
class PluginOutput {
 public:
  PluginOutput(std::string plugin, bool is_error) : plugin_(std::move(plugin)), is_error_(is_error) {}
  void begin_call() { left_ = most_a_call; }
  void write(ByteView bytes);

 private:
  static constexpr std::size_t most_a_call = 16U << 10;
  void flush();
  std::string plugin_, line_;
  bool is_error_;
  std::size_t left_ = most_a_call;
};

class Plugin {
 public:
  // ManagerError::bad_plugin, whose message names the file.
  static Result<std::unique_ptr<Plugin>> load(wasm::Runtime& runtime, const std::filesystem::path& file,
                                              Duration budget);

  const std::string& name() const { return name_; }  // the file's, without .wasm
  bool has(PluginHook hook) const { return hooks_.at(static_cast<std::size_t>(hook)); }
  // The answer, which may be empty. ManagerError::plugin_failed: it trapped, took too long, or is busy with others for
  // long. The next call finds it made anew.
  Result<std::string> call(PluginHook hook, std::string_view request);

 private:
  Plugin(wasm::Runtime& runtime, wasm::Module module, std::string name, Duration budget);
  Result<> instantiate();

  wasm::Runtime& runtime_;
  wasm::Module module_;
  std::string name_;
  Duration budget_;
  std::array<bool, 6> hooks_{};  // by the module, whatever became of its instance
  PluginOutput output_, errors_;
  std::timed_mutex mutex_;
  std::optional<wasm::Instance> instance_;  // last: it writes to what is above
};

}  // namespace coffer::fleet::manager

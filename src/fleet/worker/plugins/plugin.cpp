#include "fleet/worker/plugins/plugin.h"

#include <algorithm>

#include "base/log.h"

namespace coffer::fleet::worker {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view lifecycle = "propeller:proplet-plugin/lifecycle@0.1.0#";
constexpr std::array<std::string_view, 4> functions = {"authorize", "enrich", "on-task-start", "on-task-complete"};
constexpr std::size_t max_line = 4096;
constexpr std::size_t max_logged = 1U << 20;  // bytes of one plugin's output, as long as the worker runs

std::string full_name(std::string_view function) {
  return std::string{lifecycle} + std::string{function};
}

std::unexpected<Error> bad_plugin(std::string why) {
  return fail(WorkerError::bad_plugin, std::move(why));
}

}  // namespace

Result<std::unique_ptr<Plugin>> Plugin::create(wasm::Runtime& engine, std::string name, ByteView module,
                                               const PluginOptions& options) {
  auto compiled = engine.compile(module, {.may_use_disk = false});
  if (!compiled) return bad_plugin(compiled.error().message);
  if (compiled->kind() != wasm::ModuleKind::component) {
    return bad_plugin("is a core module; a plugin is a component that exports " + full_name("authorize"));
  }
  std::unique_ptr<Plugin> plugin(new Plugin(engine, std::move(name), std::move(*compiled), options));
  if (const auto made = plugin->instantiate(); !made) return bad_plugin(made.error().message);
  for (const auto function : functions) {
    if (!plugin->instance_->has(full_name(function))) {
      return bad_plugin("does not export " + full_name(function));
    }
  }
  return plugin;
}

Result<> Plugin::instantiate() {
  wasm::Invocation invocation;
  invocation.limits = {.memory = options_.memory, .wall_time = options_.call_time};
  invocation.standard_error = [this](ByteView data) {
    take_output(data);
    return true;
  };
  invocation.standard_output = invocation.standard_error;
  instance_ = TRY(engine_.instantiate(module_, invocation));
  return {};
}

void Plugin::take_output(ByteView data) {
  for (const char c : as_text(data.first(std::min(data.size(), max_logged - logged_)))) {
    ++logged_;
    if (c != '\n') line_ += c;
    if (c == '\n' || line_.size() >= max_line) log_line();
  }
}

void Plugin::log_line() {
  if (!line_.empty()) log::info("worker.plugin_output", line_, {{"plugin", name_}});
  line_.clear();
}

Result<wasm::Value> Plugin::call_instance(std::string_view function, const wasm::Value& argument, Duration budget) {
  if (!instance_ || instance_->poisoned()) TRY(instantiate());
  return instance_->call(full_name(function), std::span{&argument, 1}, budget);
}

Result<wasm::Value> Plugin::call(std::string_view function, const wasm::Value& argument) {
  const auto deadline = steady_clock::now() + options_.call_time;
  const std::unique_lock lock(mutex_, deadline);
  const auto left = std::chrono::duration_cast<Duration>(deadline - steady_clock::now());
  const auto failed = [&](const std::string& why) {
    if (options_.observe) options_.observe(name_, function, "failed");
    log::warn("worker.plugin_failed", why, {{"plugin", name_}, {"function", std::string{function}}});
    return fail(WorkerError::plugin_failed, "plugin " + name_ + " failed in " + std::string{function} + ": " + why);
  };
  if (!lock || left <= Duration{0}) return failed("it is busy with other tasks");
  auto answer = call_instance(function, argument, left);
  log_line();  // what had no end of line
  if (answer && options_.observe) options_.observe(name_, function, "ok");
  if (answer) return answer;
  instance_.reset();
  return failed(answer.error().message);
}

}  // namespace coffer::fleet::worker

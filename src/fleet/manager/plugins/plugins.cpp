#include "fleet/manager/plugins/plugins.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace coffer::fleet::manager {
namespace {

constexpr std::size_t max_plugins = 64;
constexpr std::size_t max_events = 4096;

thread_local std::optional<std::string> current_caller;

Result<std::vector<std::filesystem::path>> files_of(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error) {
    return fail(ManagerError::bad_plugin,
                "the directory of plugins, " + directory.string() + ", cannot be read: " + error.message());
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : entries) {
    if (entry.path().extension() == ".wasm" && !entry.is_directory(error)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  if (files.size() <= max_plugins) return files;
  return fail(ManagerError::bad_plugin, directory.string() + " has " + std::to_string(files.size()) +
                                            " plugins, the limit is " + std::to_string(max_plugins));
}

Error denied(const std::string& plugin, std::string_view reason, std::string_view otherwise) {
  log::debug("fleet.plugin_denied", reason.empty() ? otherwise : reason, {{"plugin", plugin}});
  return {ManagerError::plugin_denied, std::string{reason.empty() ? otherwise : reason}};
}

}  // namespace

CallerScope::CallerScope(std::string user) : before_(std::exchange(current_caller, std::move(user))) {}
CallerScope::~CallerScope() {
  current_caller = std::move(before_);
}
std::string_view CallerScope::current() {
  return current_caller ? std::string_view{*current_caller} : "system";
}

Plugins::Plugins(std::unique_ptr<wasm::Runtime> runtime, std::vector<std::unique_ptr<Plugin>> plugins, Metrics metrics)
    : runtime_(std::move(runtime)),
      plugins_(std::move(plugins)),
      metrics_(metrics),
      teller_([this](const std::stop_token& stop) { tell(stop); }) {}

Plugins::~Plugins() {
  teller_ = {};
}

Result<std::unique_ptr<Plugins>> Plugins::load(const PluginOptions& options, net::MetricsRegistry& metrics) {
  auto runtime = std::make_unique<wasm::Runtime>(
      TRY(wasm::Runtime::create({.max_instances = max_plugins, .memory_cache_entries = 0})));
  std::vector<std::unique_ptr<Plugin>> plugins;
  for (const auto& file : TRY(files_of(options.directory))) {
    plugins.push_back(TRY(Plugin::load(*runtime, file, options.budget)));
    const auto& plugin = *plugins.back();
    log::info("fleet.plugin_loaded", {}, {{"plugin", plugin.name()}});
    if (!plugin.has(PluginHook::authorize)) {
      log::warn("fleet.plugin_permits", "this plugin does not export authorize: it denies nothing",
                {{"plugin", plugin.name()}});
    }
  }
  Metrics figures {
    TRY(metrics.counter({"manager_plugin_calls_total", "calls of plugins", {"plugin", "hook", "outcome"}}))
    , TRY(metrics.histogram({"manager_plugin_call_duration_seconds", "time of calls of plugins", {"plugin", "hook"}}))
    , TRY(metrics.counter({"manager_plugin_events_dropped_total", "events that plugins were not told of", {}}))
  };
  return std::unique_ptr<Plugins>(new Plugins(std::move(runtime), std::move(plugins), figures));
}

Result<std::string> Plugins::ask(Plugin& plugin, PluginHook hook, std::string_view request) {
  const auto begin = std::chrono::steady_clock::now();
  auto answer = plugin.call(hook, request);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  metrics_.seconds.observe(took.count(), {plugin.name(), hook_name(hook)});
  return answer;
}

Result<PluginVerdict> Plugins::verdict(Plugin& plugin, PluginHook hook, std::string_view request) {
  const auto answer = ask(plugin, hook, request);
  auto verdict = answer ? parse_plugin_verdict(*answer) : std::unexpected(answer.error());
  const auto outcome = !verdict ? "failed" : verdict->allow ? "allowed" : "denied";
  metrics_.calls.increment({plugin.name(), hook_name(hook), outcome});
  if (verdict) return verdict;
  const auto why = answer ? "plugin " + plugin.name() + ", " + std::string{hook_name(hook)} +
                                ": its answer cannot be read: " + verdict.error().message
                          : answer.error().message;
  log::error("fleet.plugin_failed", why, {{"plugin", plugin.name()}});
  return fail(ManagerError::plugin_failed, why);
}

Result<> Plugins::authorize(PluginAction action, const Task& task) {
  const auto request = plugin_request(CallerScope::current(), action, task);
  for (const auto& plugin : plugins_) {
    if (!plugin->has(PluginHook::authorize)) continue;
    const auto answer = TRY(verdict(*plugin, PluginHook::authorize, request));
    if (!answer.allow) return fail(denied(plugin->name(), answer.reason, "denied by plugin"));
  }
  return {};
}

void Plugins::enrich(Task& task) {
  const auto request = plugin_request(CallerScope::current(), std::nullopt, task);
  for (const auto& plugin : plugins_) {
    if (!plugin->has(PluginHook::enrich)) continue;
    const auto answer = ask(*plugin, PluginHook::enrich, request);
    auto parsed = answer ? parse_plugin_enrichment(*answer) : std::unexpected(answer.error());
    metrics_.calls.increment({plugin->name(), hook_name(PluginHook::enrich), parsed ? "done" : "failed"});
    if (!parsed) {
      log::warn("fleet.plugin_failed", parsed.error().message, {{"plugin", plugin->name()}});
      continue;
    }
    for (auto& [name, value] : parsed->env) task.work.env.insert_or_assign(name, std::move(value));
    task.priority = parsed->priority.value_or(task.priority);
    for (auto& input : parsed->inputs) {
      if (std::ranges::find(task.work.inputs, input) == task.work.inputs.end()) task.work.inputs.push_back(input);
    }
    if (!parsed->image_url.empty()) task.work.image_url = parsed->image_url;
  }
}

Result<Requirements> Plugins::before_select(const Task& task) {
  Requirements required;
  const auto request = plugin_request(CallerScope::current(), std::nullopt, task);
  for (const auto& plugin : plugins_) {
    if (!plugin->has(PluginHook::before_select)) continue;
    const auto answer = TRY(verdict(*plugin, PluginHook::before_select, request));
    if (!answer.allow) return fail(denied(plugin->name(), answer.reason, "proplet selection blocked by plugin"));
    required.tags.insert(required.tags.end(), answer.required_tags.begin(), answer.required_tags.end());
    required.memory_bytes = std::max(required.memory_bytes, answer.min_memory_bytes);
  }
  return required;
}

Result<> Plugins::before_dispatch(Task& task, const Worker& worker) {
  const auto request = plugin_dispatch_request(CallerScope::current(), task, worker);
  for (const auto& plugin : plugins_) {
    if (!plugin->has(PluginHook::before_dispatch)) continue;
    const auto answer = TRY(verdict(*plugin, PluginHook::before_dispatch, request));
    if (!answer.allow) return fail(denied(plugin->name(), answer.reason, "dispatch blocked by plugin"));
    for (const auto& [name, value] : answer.extra_env) task.work.env.insert_or_assign(name, value);
  }
  return {};
}

void Plugins::task_started(const Task& task) {
  notify(PluginHook::task_start, task);
}
void Plugins::task_completed(const Task& task) {
  notify(PluginHook::task_complete, task);
}

void Plugins::notify(PluginHook hook, const Task& task) {
  if (std::ranges::none_of(plugins_, [&](const auto& plugin) { return plugin->has(hook); })) return;
  {
    const std::scoped_lock lock(mutex_);
    if (events_.size() >= max_events) {
      metrics_.dropped.increment();
      return;
    }
    events_.push_back({hook, plugin_event(task)});
  }
  changed_.notify_one();
}

void Plugins::tell(const std::stop_token& stop) {
  while (true) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return !events_.empty(); })) return;
    const auto event = std::move(events_.front());
    events_.pop_front();
    lock.unlock();
    for (const auto& plugin : plugins_) {
      if (!plugin->has(event.hook)) continue;
      const auto told = ask(*plugin, event.hook, event.request);
      metrics_.calls.increment({plugin->name(), hook_name(event.hook), told ? "done" : "failed"});
      if (!told) log::warn("fleet.plugin_failed", told.error().message, {{"plugin", plugin->name()}});
    }
  }
}

}  // namespace coffer::fleet::manager

#include "fleet/manager/plugins/plugin.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/log.h"

namespace coffer::fleet::manager {
namespace {

constexpr std::array<std::string_view, 6> hook_names{"authorize",          "enrich_task",   "on_before_proplet_select",
                                                     "on_before_dispatch", "on_task_start", "on_task_complete"};
constexpr std::uintmax_t max_file = 64U << 20;
constexpr std::uint64_t max_memory = 256U << 20;
constexpr std::size_t max_line = 1024;
constexpr int waiting_calls = 5;  // so long is waited for those before; each may take its whole time

std::unexpected<Error> bad_plugin(const std::filesystem::path& file, const std::string& why) {
  return fail(ManagerError::bad_plugin, "plugin " + file.string() + ": " + why);
}

Result<Bytes> read_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream) return bad_plugin(file, "it cannot be read");
  if (size > max_file) return bad_plugin(file, "it has over " + std::to_string(max_file) + " bytes");
  const std::string content{std::istreambuf_iterator<char>{stream}, {}};
  return to_bytes(content);
}

const wasm::Export* find(const std::vector<wasm::Export>& exports, std::string_view name) {
  const auto found = std::ranges::find(exports, name, &wasm::Export::name);
  return found == exports.end() ? nullptr : &*found;
}

Result<> check_export(const std::filesystem::path& file, const std::vector<wasm::Export>& exports,
                      std::string_view name, std::initializer_list<std::string_view> signatures) {
  const auto* found = find(exports, name);
  if (found == nullptr) return bad_plugin(file, "it does not export " + std::string{name});
  if (std::ranges::find(signatures, found->signature) != signatures.end()) return {};
  return bad_plugin(file, "its " + std::string{name} + " is expected to be " + std::string{*signatures.begin()} +
                              ", found " + found->signature);
}

Result<> check_exports(const std::filesystem::path& file, const wasm::Module& module) {
  if (module.kind() != wasm::ModuleKind::core) return bad_plugin(file, "it is a component, no core module");
  const auto exports = module.exports();
  TRY(check_export(file, exports, "plugin_alloc", {"(i32) -> (i32)"}));
  TRY(check_export(file, exports, "plugin_free", {"(i32, i32) -> ()"}));
  bool any = false;
  for (const auto hook : hook_names) {
    if (find(exports, hook) == nullptr) continue;
    any = true;
    if (hook.starts_with("on_task_")) {
      TRY(check_export(file, exports, hook, {"(i32, i32) -> ()", "(i32, i32) -> (i64)"}));
    } else {
      TRY(check_export(file, exports, hook, {"(i32, i32) -> (i64)"}));
    }
  }
  if (any) return {};
  return bad_plugin(file, "it exports none of the functions that are called");
}

}  // namespace

std::string_view hook_name(PluginHook hook) {
  return hook_names.at(static_cast<std::size_t>(hook));
}

void PluginOutput::flush() {
  if (line_.empty()) return;
  log::write(is_error_ ? log::Level::warn : log::Level::info, "fleet.plugin_output", line_, {{"plugin", plugin_}});
  line_.clear();
}

void PluginOutput::write(ByteView bytes) {
  for (const char c : as_text(bytes.first(std::min(bytes.size(), left_)))) {
    if (c == '\n' || line_.size() >= max_line) flush();
    if (c != '\n' && c != '\r') line_ += c;
  }
  left_ -= std::min(bytes.size(), left_);
}

Plugin::Plugin(wasm::Runtime& runtime, wasm::Module module, std::string name, Duration budget)
    : runtime_(runtime),
      module_(std::move(module)),
      name_(std::move(name)),
      budget_(budget),
      output_(name_, false),
      errors_(name_, true) {
  const auto exports = module_.exports();
  for (std::size_t hook = 0; hook < hooks_.size(); ++hook) hooks_[hook] = find(exports, hook_names[hook]) != nullptr;
}

Result<std::unique_ptr<Plugin>> Plugin::load(wasm::Runtime& runtime, const std::filesystem::path& file,
                                             Duration budget) {
  auto module = runtime.compile(TRY(read_file(file)));
  if (!module) return bad_plugin(file, module.error().message);
  TRY(check_exports(file, *module));
  std::unique_ptr<Plugin> plugin{new Plugin(runtime, std::move(*module), file.stem().string(), budget)};
  if (const auto made = plugin->instantiate(); !made) return bad_plugin(file, made.error().message);
  return plugin;
}

Result<> Plugin::instantiate() {
  instance_.reset();
  wasm::Invocation invocation{.arguments = {name_}};
  invocation.limits = {.memory = max_memory, .wall_time = budget_};
  invocation.standard_output = [this](ByteView bytes) {
    output_.write(bytes);
    return true;
  };
  invocation.standard_error = [this](ByteView bytes) {
    errors_.write(bytes);
    return true;
  };
  instance_ = TRY(runtime_.instantiate(module_, invocation));
  return {};
}

Result<std::string> Plugin::call(PluginHook hook, std::string_view request) {
  const std::unique_lock lock(mutex_, budget_ * waiting_calls);
  const auto answer = [&]() -> Result<Bytes> {
    if (!lock) return fail(ManagerError::plugin_failed, "it is busy with other calls");
    output_.begin_call();
    errors_.begin_call();
    if (!instance_ || instance_->poisoned()) TRY(instantiate());
    return instance_->exchange(hook_name(hook), as_bytes(request), budget_);
  }();
  if (answer) return to_text(*answer);
  return fail(ManagerError::plugin_failed,
              "plugin " + name_ + ", " + std::string{hook_name(hook)} + ": " + answer.error().message);
}

}  // namespace coffer::fleet::manager

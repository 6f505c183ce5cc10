#include "fleet/worker/runtimes/host_runtime.h"

#include <unistd.h>

#include <cstdlib>

#include "base/log.h"
#include "fleet/worker/runtimes/execution.h"
#include "fleet/worker/runtimes/guest_log.h"
#include "fleet/worker/runtimes/host_arguments.h"
#include "fleet/worker/runtimes/http_task.h"
#include "image/digest.h"
#include "workload/external_service.h"

namespace coffer::fleet::worker {
namespace {

std::string own_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// What the program itself needs of this process's environment; the task's goes to its guest alone.
std::vector<std::string> program_environment() {
  std::vector<std::string> out;
  for (const auto* name : {"PATH", "HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME"}) {
    if (auto value = own_variable(name); !value.empty()) out.push_back(std::string{name} + "=" + std::move(value));
  }
  return out;
}

// Layer 1 of the component model's binary format: version 0x0d, layer 0x01.
bool is_component(ByteView module) {
  return module.size() > 6 && module[4] == std::byte{0x0d} && module[6] == std::byte{0x01};
}

ModuleShape read_shape(wasm::Runtime& engine, ByteView module) {
  // What the engine here cannot load (wasi-nn) may run there all the same: then the name alone decides.
  if (const auto compiled = engine.compile(module, {.may_use_disk = false})) return shape_of(*compiled);
  return {.kind = is_component(module) ? wasm::ModuleKind::component : wasm::ModuleKind::core, .command = true};
}

// A component that the engine here cannot load is looked through for the interface's name, as upstream does it.
bool handles_http(wasm::Runtime& engine, ByteView module) {
  if (const auto compiled = engine.compile(module, {.may_use_disk = false})) return compiled->handles_http();
  return is_component(module) && as_text(module).contains("wasi:http/incoming-handler");
}

// wasmtime calls a component's function by one text: name(a, b).
void call_by_text(workload::Execution& execution) {
  auto call = execution.function + "(";
  for (const auto& argument : execution.arguments) call += (call.ends_with('(') ? "" : ", ") + argument;
  execution.function = call + ")";
  execution.arguments.clear();
}

}  // namespace

std::optional<std::string> find_program(const std::string& name, std::string_view path) {
  const auto runs = [](const std::string& file) { return ::access(file.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string::npos) return runs(name) ? std::optional{name} : std::nullopt;
  while (!path.empty()) {
    const auto folder = path.substr(0, path.find(':'));
    if (auto file = std::string{folder} + "/" + name; !folder.empty() && runs(file)) return file;
    path.remove_prefix(std::min(path.size(), folder.size() + 1));
  }
  return std::nullopt;
}

Result<std::unique_ptr<HostRuntime>> HostRuntime::create(const TaskConfig& config, ModuleLoader& loader,
                                                         wasm::Runtime& engine, std::string own_id) {
  if (find_program(config.external_runtime, own_variable("PATH"))) {
    return std::unique_ptr<HostRuntime>(new HostRuntime(config, loader, engine, std::move(own_id)));
  }
  return fail(ConfigError::bad_value, "PROPLET_EXTERNAL_WASM_RUNTIME is \"" + config.external_runtime +
                                          "\", which is no program; leave it out to run tasks in this process");
}

Result<PreparedModule> HostRuntime::prepare(const StartCommand& task, const std::stop_token& stop) {
  auto content = TRY(loader_.load(task, stop));
  const bool serves = !split_cli_args(task.cli_args).invoke && handles_http(engine_, *content);
  if (serves) TRY(check_http_task(task, config_.http));
  auto digest = image::Digest::of(*content).text();
  return PreparedModule{.digest = std::move(digest), .serves = serves, .content = std::move(content)};
}

RunReport HostRuntime::serve(const PreparedModule& module, const Run& run, const std::stop_token& stop) {
  const auto arguments = read_http_arguments(run.task.cli_args, config_.http);
  if (!arguments) return {.error = arguments.error()};
  auto leading = check_host_arguments(arguments->rest);
  if (!leading) return {.error = leading.error()};
  const auto& host = config_.http.host;
  std::string port;
  const auto found = listen_on_free_port(arguments->port, config_.http, [&](std::uint16_t wanted) -> Result<> {
    port = std::to_string(TRY(workload::free_port_at(host, wanted)));
    return {};
  });
  if (!found) return {.error = found.error()};
  GuestLog output(run.task.id, "stdout", config_.max_output), error(run.task.id, "stderr", config_.max_output);
  auto execution = execution_of(run, {}, config_, own_id_);
  execution.standard_output = output.sink();
  execution.standard_error = error.sink();
  execution.stop = stop;
  const workload::ExternalProgram program{
      .path = config_.external_runtime, .leading_arguments = std::move(*leading), .environment = program_environment()};
  const auto ended = workload::serve_external(program, *module.content, execution, host + ":" + port, [&] {
    log::info("worker.serving", "the task serves HTTP", {{"task", run.task.id}, {"address", host + ":" + port}});
    if (run.serving) run.serving("started at port " + port);
  });
  output.finish();
  error.finish();
  return {.error = stopped_or(ended)};
}

RunReport HostRuntime::run(const PreparedModule& module, const Run& run, const std::stop_token& stop) {
  if (module.serves) return serve(module, run, stop);
  const auto shape = read_shape(engine_, *module.content);
  const auto cli = split_cli_args(run.task.cli_args);
  const auto choice = choose_function(run.task.name, cli, shape);
  auto leading = check_host_arguments(cli.rest);
  if (!leading) return {.error = leading.error()};
  leading->insert(leading->begin(), "run");
  const workload::ExternalProgram program{
      .path = config_.external_runtime, .leading_arguments = std::move(*leading), .environment = program_environment()};
  Streams streams(config_.max_output);
  auto execution = execution_of(run, choice, config_, own_id_);
  execution.limits.memory = execution.limits.fuel = 0;  // held only in process; see the choice of runtimes
  execution.standard_output = streams.output.sink();
  execution.standard_error = streams.error.sink();
  execution.stop = stop;
  if (shape.kind == wasm::ModuleKind::component && !choice.function.empty()) call_by_text(execution);
  // All that the program says stands in its output, the values of functions as well.
  return report_of(workload::run_external(program, *module.content, execution), {}, streams, wasm::ModuleKind::core);
}

}  // namespace coffer::fleet::worker

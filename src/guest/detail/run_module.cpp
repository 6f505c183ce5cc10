#include "guest/detail/run_module.h"

#include <unistd.h>

#include <cerrno>

#include "base/log.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "workload/embedded_runtime.h"
#include "workload/external_runtime.h"
#include "workload/http_service.h"

namespace coffer::guest::detail {
namespace {

using workload::Execution;

constexpr unsigned served_at_once = 8;

// Straight to the file descriptor, so that the guest's output streams. False when nobody reads any more.
wasm::Sink sink_to(int file_descriptor) {
  return [file_descriptor](ByteView data) {
    while (!data.empty()) {
      const auto written = ::write(file_descriptor, data.data(), data.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      data = data.subspan(static_cast<std::size_t>(written));
    }
    return true;
  };
}

Execution execution_of(const RunnerOptions& options) {
  Execution execution{.function = options.invoke,
                      .arguments = options.wasm_args,
                      .environment = options.environment,
                      .limits = {.memory = options.max_memory, .fuel = options.fuel, .wall_time = options.timeout}};
  if (!options.work_dir.empty()) execution.directories.push_back({options.work_dir, options.work_dir.string(), false});
  for (const auto& [host, guest] : options.directories) execution.directories.push_back({host, guest, false});
  return execution;
}

// Results one a line, as wasmtime's --invoke prints them.
void print(const std::vector<std::string>& values, const wasm::Sink& output) {
  std::string text;
  for (const auto& value : values) text += value + "\n";
  if (!text.empty()) output(as_bytes(text));
}

// Until a signal ends it, which is what a service ends by.
Result<int> serve(const RunnerOptions& options, wasm::Runtime& runtime, const wasm::Module& module,
                  Execution execution) {
  const auto service = TRY(workload::HttpService::start(
      runtime, module, {.address = options.serve, .execution = std::move(execution), .requests = served_at_once}));
  log::info("guest.serving", "the module serves HTTP", {{"address", service->address()}});
  net::wait_for_termination();
  service->stop();
  return 0;
}

Result<int> run_here(const RunnerOptions& options, ByteView module, bool encrypted) {
  wasm::RuntimeOptions engine{.max_instances = options.serve.empty() ? 1 : served_at_once, .memory_cache_entries = 1};
  if (!encrypted && options.compiled_cache) engine.disk_cache = workload::open_compiled_cache(*options.compiled_cache);
  const bool cached = engine.disk_cache.has_value();
  // Before the engine has threads: a signal must reach the one that waits for it.
  if (!options.serve.empty()) net::block_termination_signals();
  auto runtime = TRY(wasm::Runtime::create(std::move(engine)));
  const auto compiled = TRY(runtime.compile(module, {.may_use_disk = cached, .metered = options.fuel > 0}));
  auto execution = execution_of(options);
  execution.standard_output = sink_to(STDOUT_FILENO);
  execution.standard_error = sink_to(STDERR_FILENO);
  if (options.inherit_stdin) execution.standard_input = wasm::source_of_file_descriptor(STDIN_FILENO);
  if (!options.allow_http.empty()) {
    execution.outgoing_http = wasm::OutgoingHttp {
      .allow = options.allow_http, .client = TRY(net::HttpClient::create({.user_agent = "coffer-run"}))
    };
  }
  if (!options.serve.empty()) return serve(options, runtime, compiled, std::move(execution));
  const auto result = TRY(workload::run_embedded(runtime, compiled, execution));
  print(result.values, execution.standard_output);
  return options.invoke.empty() ? result.exit_code : 0;
}

}  // namespace

Result<int> run_module(const RunnerOptions& options, ByteView module, bool encrypted) {
  if (options.runtime.empty() || options.runtime == "embedded") return run_here(options, module, encrypted);
  if (!options.serve.empty() || !options.allow_http.empty()) {
    const std::string flag = options.serve.empty() ? "--allow-http" : "--serve";
    return fail(GuestError::usage, flag + " needs the embedded runtime, and --runtime names " + options.runtime);
  }
  const workload::ExternalProgram program{.path = options.runtime, .inherit_stdin = options.inherit_stdin};
  const auto result = TRY(workload::run_external(program, module, execution_of(options)));
  return result.exit_code;
}

}  // namespace coffer::guest::detail

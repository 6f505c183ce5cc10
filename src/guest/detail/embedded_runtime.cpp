#include "guest/detail/embedded_runtime.h"

#include <unistd.h>

#include <cerrno>

#include "guest/detail/compiled_cache.h"
#include "wasm/runtime.h"

namespace coffer::guest::detail {
namespace {

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

std::vector<wasm::Preopen> preopens_of(const RunnerOptions& options) {
  std::vector<wasm::Preopen> out;
  if (!options.work_dir.empty()) out.push_back({options.work_dir, options.work_dir.string(), false});
  for (const auto& [host, guest] : options.directories) out.push_back({host, guest, false});
  return out;
}

wasm::Limits limits_of(const RunnerOptions& options) {
  wasm::Limits limits;
  if (options.max_memory > 0) limits.memory = options.max_memory;
  if (options.fuel > 0) limits.fuel = options.fuel;
  if (options.timeout > Duration{0}) limits.wall_time = options.timeout;
  return limits;
}

wasm::Invocation invocation_of(const RunnerOptions& options) {
  wasm::Invocation invocation{.arguments = options.wasm_args,
                              .environment = options.environment,
                              .preopens = preopens_of(options),
                              .standard_output = sink_to(STDOUT_FILENO),
                              .standard_error = sink_to(STDERR_FILENO),
                              .limits = limits_of(options)};
  if (options.inherit_stdin) invocation.standard_input = wasm::source_of_file_descriptor(STDIN_FILENO);
  return invocation;
}

// argv[0] is the module's name, as a command expects it.
Result<int> run_command(wasm::Runtime& runtime, const wasm::Module& module, wasm::Invocation invocation) {
  invocation.arguments.insert(invocation.arguments.begin(), "module.wasm");
  const auto result = TRY(runtime.run(module, invocation));
  return result.exit_code;
}

// Results one a line, as wasmtime's --invoke prints them.
Result<int> call_function(wasm::Runtime& runtime, const wasm::Module& module, const std::string& function,
                          const wasm::Invocation& invocation) {
  const auto result = TRY(runtime.call(module, function, invocation));
  std::string text;
  for (const auto& value : result.values) text += value + "\n";
  invocation.standard_output(as_bytes(text));
  return 0;
}

}  // namespace

Result<int> run_embedded(const RunnerOptions& options, ByteView module, bool encrypted) {
  wasm::RuntimeOptions engine{.max_instances = 1, .memory_cache_entries = 1};
  if (!encrypted && options.compiled_cache) engine.disk_cache = open_compiled_cache(*options.compiled_cache);
  const bool cached = engine.disk_cache.has_value();
  auto runtime = TRY(wasm::Runtime::create(std::move(engine)));
  const auto compiled = TRY(runtime.compile(module, {.may_use_disk = cached, .metered = options.fuel > 0}));
  if (options.invoke.empty()) return run_command(runtime, compiled, invocation_of(options));
  return call_function(runtime, compiled, options.invoke, invocation_of(options));
}

}  // namespace coffer::guest::detail

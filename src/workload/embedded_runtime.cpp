#include "workload/embedded_runtime.h"

namespace coffer::workload {
namespace {

wasm::Limits limits_of(const ExecutionLimits& wanted) {
  wasm::Limits limits;
  if (wanted.memory > 0) limits.memory = wanted.memory;
  if (wanted.fuel > 0) limits.fuel = wanted.fuel;
  if (wanted.wall_time > Duration{0}) limits.wall_time = wanted.wall_time;
  return limits;
}

wasm::Invocation invocation_of(const Execution& execution) {
  return {.arguments = execution.arguments,
          .environment = execution.environment,
          .preopens = execution.directories,
          .standard_input = execution.standard_input,
          .standard_output = execution.standard_output,
          .standard_error = execution.standard_error,
          .limits = limits_of(execution.limits),
          .cancellation = wasm::Cancellation{},
          .host_call = execution.host_call,
          .outgoing_http = execution.outgoing_http};
}

// argv[0] is the module's name, as a command expects it.
Result<ExecutionResult> run_command(wasm::Runtime& runtime, const wasm::Module& module, wasm::Invocation invocation) {
  invocation.arguments.insert(invocation.arguments.begin(), "module.wasm");
  const auto result = TRY(runtime.run(module, invocation));
  return ExecutionResult{.exit_code = result.exit_code, .usage = result.usage};
}

}  // namespace

Result<ExecutionResult> run_embedded(wasm::Runtime& runtime, const wasm::Module& module, const Execution& execution) {
  auto invocation = invocation_of(execution);
  const std::stop_callback stopping(execution.stop,
                                    [cancellation = *invocation.cancellation] { cancellation.cancel(); });
  if (execution.function.empty()) return run_command(runtime, module, std::move(invocation));
  auto result = TRY(runtime.call(module, execution.function, invocation));
  return ExecutionResult{.exit_code = result.exit_code, .values = std::move(result.values), .usage = result.usage};
}

Result<wasm::HttpResponse> handle_embedded(wasm::Runtime& runtime, const wasm::Module& module,
                                           const wasm::HttpRequest& request, const Execution& execution) {
  const auto invocation = invocation_of(execution);
  const std::stop_callback stopping(execution.stop,
                                    [cancellation = *invocation.cancellation] { cancellation.cancel(); });
  auto handled = TRY(runtime.handle(module, request, invocation));
  return std::move(handled.response);
}

}  // namespace coffer::workload

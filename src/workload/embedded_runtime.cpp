#include "workload/embedded_runtime.h"

namespace coffer::workload {
namespace {

using std::chrono::steady_clock;

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

// A host interface that wakes because the task is over has the guest trap; why it was over is what is told.
template <class T>
Result<T> told_by_its_cause(Result<T> result, const Execution& execution, steady_clock::time_point start) {
  if (result || result.error().code != wasm::WasmError::trap || !execution.host_call) return result;
  if (execution.stop.stop_requested()) return fail(wasm::WasmError::cancelled, "the guest was cancelled");
  const auto limit = execution.limits.wall_time;
  if (limit <= Duration{0} || steady_clock::now() - start < limit) return result;
  return fail(wasm::WasmError::timeout, "over its time of " + std::to_string(limit.count()) + " ms");
}

}  // namespace

Result<ExecutionResult> run_embedded(wasm::Runtime& runtime, const wasm::Module& module, const Execution& execution) {
  auto invocation = invocation_of(execution);
  const std::stop_callback stopping(execution.stop,
                                    [cancellation = *invocation.cancellation] { cancellation.cancel(); });
  const auto start = steady_clock::now();
  if (execution.function.empty()) {
    return told_by_its_cause(run_command(runtime, module, std::move(invocation)), execution, start);
  }
  auto result = TRY(told_by_its_cause(runtime.call(module, execution.function, invocation), execution, start));
  return ExecutionResult{.exit_code = result.exit_code, .values = std::move(result.values), .usage = result.usage};
}

Result<wasm::HttpResponse> handle_embedded(wasm::Runtime& runtime, const wasm::Module& module,
                                           const wasm::HttpRequest& request, const Execution& execution) {
  const auto invocation = invocation_of(execution);
  const std::stop_callback stopping(execution.stop,
                                    [cancellation = *invocation.cancellation] { cancellation.cancel(); });
  const auto start = steady_clock::now();
  auto handled = TRY(told_by_its_cause(runtime.handle(module, request, invocation), execution, start));
  return std::move(handled.response);
}

}  // namespace coffer::workload

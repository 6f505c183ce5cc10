// Runs a module in this process, in the embedded engine.
#pragma once

#include "wasm/runtime.h"
#include "workload/execution.h"

namespace coffer::workload {

// Runs the command, or calls execution.function. Errors are the engine's (wasm.*). `module` is compiled as metered
// where execution.limits.fuel is set.
Result<ExecutionResult> run_embedded(wasm::Runtime& runtime, const wasm::Module& module, const Execution& execution);

// Lets a new instance of a component that handles HTTP answer one request. Also wasm.no_response.
Result<wasm::HttpResponse> handle_embedded(wasm::Runtime& runtime, const wasm::Module& module,
                                           const wasm::HttpRequest& request, const Execution& execution);

}  // namespace coffer::workload

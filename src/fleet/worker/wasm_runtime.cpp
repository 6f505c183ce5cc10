#include "fleet/worker/wasm_runtime.h"

namespace coffer::fleet::worker {

Result<PreparedModule> WasmRuntime::prepare(const StartCommand& task, const std::stop_token& stop) {
  const auto content = TRY(loader_.load(task, stop));
  return in_process_.prepare(task, *content);
}

RunReport WasmRuntime::run(const PreparedModule& module, const Run& run, const std::stop_token& stop) {
  return in_process_.run(*module.compiled, run, stop);
}

}  // namespace coffer::fleet::worker

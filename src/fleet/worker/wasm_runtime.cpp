#include "fleet/worker/wasm_runtime.h"

#include "image/digest.h"

namespace coffer::fleet::worker {

Result<PreparedModule> WasmRuntime::prepare(const StartCommand& task, const std::stop_token& stop) {
  const auto content = TRY(loader_.load(task, stop));
  auto compiled = TRY(in_process_.compile(task, *content));
  return PreparedModule{.digest = image::Digest::of(*content).text(), .compiled = std::move(compiled)};
}

RunReport WasmRuntime::run(const PreparedModule& module, const Run& run, const std::stop_token& stop) {
  return in_process_.run(*module.compiled, run, stop);
}

}  // namespace coffer::fleet::worker

// Tasks in this process, in the embedded engine: what plain and encrypted ones have in common.
#pragma once

#include "fleet/worker/config.h"
#include "fleet/worker/runtime.h"
#include "wasm/runtime.h"

namespace coffer::fleet::worker {

class InProcess {
 public:
  // Both outlive the object.
  InProcess(wasm::Runtime& engine, const TaskConfig& config, std::string own_id)
      : engine_(engine), config_(config), own_id_(std::move(own_id)) {}

  // Counts instructions where worker or task bound them. Nothing of the module goes to a disk. worker.http_disabled,
  // worker.unsupported and worker.argument_refused for one that serves HTTP, and the engine's errors.
  Result<PreparedModule> prepare(const StartCommand& task, ByteView module);
  RunReport run(const wasm::Module& module, const Run& run, const std::stop_token& stop);

 private:
  wasm::Runtime& engine_;
  const TaskConfig& config_;
  std::string own_id_;
};

}  // namespace coffer::fleet::worker

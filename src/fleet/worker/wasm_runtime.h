// Plain tasks in this process.
#pragma once

#include "fleet/worker/in_process.h"
#include "fleet/worker/module_loader.h"

namespace coffer::fleet::worker {

class WasmRuntime final : public Runtime {
 public:
  WasmRuntime(ModuleLoader& loader, InProcess in_process) : loader_(loader), in_process_(std::move(in_process)) {}
  std::string_view name() const override { return "wasm"; }
  Result<PreparedModule> prepare(const StartCommand& task, const std::stop_token& stop) override;
  RunReport run(const PreparedModule& module, const Run& run, const std::stop_token& stop) override;

 private:
  ModuleLoader& loader_;
  InProcess in_process_;
};

}  // namespace coffer::fleet::worker

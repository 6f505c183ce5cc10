// Plain tasks in this process. What a start names by digest, and was compiled for an earlier one, is neither fetched
// nor hashed again.
#pragma once

#include "fleet/worker/modules/known_modules.h"
#include "fleet/worker/modules/module_loader.h"
#include "fleet/worker/runtimes/in_process.h"

namespace coffer::fleet::worker {

class WasmRuntime final : public Runtime {
 public:
  WasmRuntime(ModuleLoader& loader, InProcess in_process) : loader_(loader), in_process_(std::move(in_process)) {}
  std::string_view name() const override { return "wasm"; }
  Result<PreparedModule> prepare(const StartCommand& task, const std::stop_token& stop) override;
  RunReport run(const PreparedModule& module, const Run& run, const std::stop_token& stop) override;

 private:
  std::vector<std::string> lasting_names(const StartCommand& task) const;
  ModuleLoader& loader_;
  InProcess in_process_;
  KnownModules known_{64};
};

}  // namespace coffer::fleet::worker

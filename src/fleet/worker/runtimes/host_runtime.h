// Plain tasks by a program of its own, such as wasmtime: run to their end, or served where they handle HTTP.
#pragma once

#include "fleet/worker/modules/module_loader.h"
#include "fleet/worker/runtimes/in_process.h"
#include "workload/external_runtime.h"

namespace coffer::fleet::worker {

class HostRuntime final : public Runtime {
 public:
  // fleet.config_bad_value where the program is not to be found. `engine` only reads what a module exports.
  static Result<std::unique_ptr<HostRuntime>> create(const TaskConfig& config, ModuleLoader& loader,
                                                     wasm::Runtime& engine, std::string own_id);
  std::string_view name() const override { return "host"; }
  Result<PreparedModule> prepare(const StartCommand& task, const std::stop_token& stop) override;
  RunReport run(const PreparedModule& module, const Run& run, const std::stop_token& stop) override;

 private:
  HostRuntime(const TaskConfig& config, ModuleLoader& loader, wasm::Runtime& engine, std::string own_id)
      : config_(config), loader_(loader), engine_(engine), own_id_(std::move(own_id)) {}
  RunReport serve(const PreparedModule& module, const Run& run, const std::stop_token& stop);

  const TaskConfig& config_;
  ModuleLoader& loader_;
  wasm::Runtime& engine_;
  std::string own_id_;
};

// Where a name without a slash stands in PATH; the name itself where it has one. Nothing where no such program is.
std::optional<std::string> find_program(const std::string& name, std::string_view path);

}  // namespace coffer::fleet::worker

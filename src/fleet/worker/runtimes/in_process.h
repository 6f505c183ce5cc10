// Tasks in this process, in the embedded engine: what plain and encrypted ones have in common.
#pragma once

#include "fleet/worker/config.h"
#include "fleet/worker/runtimes/function_choice.h"
#include "fleet/worker/runtimes/runtime.h"
#include "fleet/worker/runtimes/task_hal.h"
#include "net/http_client.h"
#include "wasm/runtime.h"
#include "workload/execution.h"

namespace coffer::fleet::worker {

class InProcess {
 public:
  // Engine and configuration outlive the object. `http` sends what guests may ask of the hosts that the configuration
  // allows; none: they may send nothing. `hal`: none without it.
  InProcess(wasm::Runtime& engine, const TaskConfig& config, std::string own_id,
            std::shared_ptr<net::HttpClient> http = {}, std::shared_ptr<const TaskHal> hal = {})
      : engine_(engine), config_(config), own_id_(std::move(own_id)), http_(std::move(http)), hal_(std::move(hal)) {}

  // Counts instructions where worker or task bound them. Nothing of the module goes to a disk. worker.http_disabled,
  // worker.unsupported and worker.argument_refused for one that serves HTTP, hal.storage_refused, and the engine's
  // errors.
  Result<PreparedModule> prepare(const StartCommand& task, ByteView module);
  // The same for one that is compiled already, as `is_metered` says of the task.
  Result<PreparedModule> prepare(const StartCommand& task, const wasm::Module& compiled);
  bool is_metered(const StartCommand& task) const;
  RunReport run(const PreparedModule& module, const Run& run, const std::stop_token& stop);

 private:
  workload::Execution execution_for(const Run& run, const FunctionChoice& choice) const;
  wasm::Runtime& engine_;
  const TaskConfig& config_;
  std::string own_id_;
  std::shared_ptr<net::HttpClient> http_;
  std::shared_ptr<const TaskHal> hal_;
};

}  // namespace coffer::fleet::worker

#include "fleet/worker/runtimes/in_process.h"

#include "fleet/worker/runtimes/execution.h"
#include "fleet/worker/runtimes/http_task.h"
#include "workload/embedded_runtime.h"

namespace coffer::fleet::worker {

bool InProcess::is_metered(const StartCommand& task) const {
  return config_.fuel > 0 || task.fuel.value_or(0) > 0;
}

Result<PreparedModule> InProcess::prepare(const StartCommand& task, ByteView module) {
  const auto compiled = TRY(engine_.compile(module, {.may_use_disk = false, .metered = is_metered(task)}));
  return prepare(task, compiled);
}

Result<PreparedModule> InProcess::prepare(const StartCommand& task, const wasm::Module& compiled) {
  if (hal_) TRY(hal_->check(task));
  const bool serves = serves_http(task, compiled);
  if (serves) TRY(check_http_task(task, config_.http));
  return PreparedModule{.digest = compiled.digest(), .serves = serves, .compiled = compiled};
}

workload::Execution InProcess::execution_for(const Run& run, const FunctionChoice& choice) const {
  auto execution = execution_of(run, choice, config_, own_id_);
  if (http_ && !config_.http_allow.empty()) {
    execution.outgoing_http = wasm::OutgoingHttp{.allow = config_.http_allow, .client = http_};
  }
  return execution;
}

RunReport InProcess::run(const PreparedModule& prepared, const Run& run, const std::stop_token& stop) {
  const auto& module = *prepared.compiled;
  if (serves_http(run.task, module)) {
    auto execution = execution_for(run, {});
    execution.stop = stop;
    if (hal_) hal_->add_to(execution, run, prepared);
    return serve_http(engine_, module, run, std::move(execution), config_, stop);
  }
  const auto cli = split_cli_args(run.task.cli_args);
  const auto choice = choose_function(run.task.name, cli, shape_of(module));
  auto execution = execution_for(run, choice);
  // A function takes its parameters alone; a command line has room for both.
  if (choice.function.empty()) {
    execution.arguments.insert(execution.arguments.begin(), cli.rest.begin(), cli.rest.end());
  }
  Streams streams(config_.max_output);
  execution.standard_output = streams.output.sink();
  execution.standard_error = streams.error.sink();
  execution.stop = stop;
  if (hal_) hal_->add_to(execution, run, prepared);
  if (!run.task.parent_results.empty()) {
    execution.standard_input = wasm::source_of(to_bytes(codec::json::serialize(run.task.parent_results)));
  }
  return report_of(workload::run_embedded(engine_, module, execution), choice, streams, module.kind());
}

}  // namespace coffer::fleet::worker

#include "fleet/worker/in_process.h"

#include "fleet/worker/execution.h"
#include "workload/embedded_runtime.h"

namespace coffer::fleet::worker {

Result<wasm::Module> InProcess::compile(const StartCommand& task, ByteView module) {
  return engine_.compile(module, {.may_use_disk = false, .metered = config_.fuel > 0 || task.fuel.value_or(0) > 0});
}

RunReport InProcess::run(const wasm::Module& module, const Run& run, const std::stop_token& stop) {
  const auto cli = split_cli_args(run.task.cli_args);
  const auto choice = choose_function(run.task.name, cli, shape_of(module));
  Streams streams(config_.max_output);
  auto execution = execution_of(run, choice, config_, own_id_);
  // A function takes its parameters alone; a command line has room for both.
  if (choice.function.empty()) {
    execution.arguments.insert(execution.arguments.begin(), cli.rest.begin(), cli.rest.end());
  }
  execution.standard_output = streams.output.sink();
  execution.standard_error = streams.error.sink();
  execution.stop = stop;
  if (!run.task.parent_results.empty()) {
    execution.standard_input = wasm::source_of(to_bytes(codec::json::serialize(run.task.parent_results)));
  }
  return report_of(workload::run_embedded(engine_, module, execution), choice, streams, module.kind());
}

}  // namespace coffer::fleet::worker

// What a run of a task gets and how its end is told: the same for every runtime.
#pragma once

#include "fleet/worker/config.h"
#include "fleet/worker/runtimes/captured_output.h"
#include "fleet/worker/runtimes/function_choice.h"
#include "fleet/worker/runtimes/runtime.h"
#include "workload/execution.h"

namespace coffer::fleet::worker {

// Environment (PROPLET_ID and the parents' results added), folders, limits. The stop token is not set.
workload::Execution execution_of(const Run& run, const FunctionChoice& choice, const TaskConfig& config,
                                 const std::string& own_id);

// worker.stopped in place of what the runtimes call a stop.
Error stopped_or(const Error& error);

struct Streams {
  explicit Streams(std::size_t limit) : output(limit), error(limit) {}
  CapturedOutput output, error;
};

// The report of a run that came to an end by itself, or did not.
RunReport report_of(const Result<workload::ExecutionResult>& result, const FunctionChoice& choice,
                    const Streams& streams, wasm::ModuleKind kind);

}  // namespace coffer::fleet::worker

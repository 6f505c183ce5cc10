// The records of propeller:proplet-plugin/lifecycle@0.1.0 as values, and what a plugin's answers mean. Pure.
#pragma once

#include <optional>
#include <string>

#include "fleet/worker/plugins/task_hooks.h"
#include "wasm/value.h"

namespace coffer::fleet::worker {

wasm::Value task_info(const StartCommand& task, const TaskHooks::Environment& environment);
// An update that leaves sealed is for its aggregator alone: the result then has no output.
wasm::Value task_result(const StartCommand& task, const RunReport& report);

// Of an authorize-response: nothing where it allows. Otherwise the start of its reason; whatever is no such record
// denies.
std::optional<std::string> denial(const wasm::Value& response);
// Adds the variables of an enrich-response. What no environment could carry is left out.
void add_variables(const wasm::Value& response, TaskHooks::Environment& environment);

}  // namespace coffer::fleet::worker

// What depends on what: checked when tasks are made, asked when one ends.
#pragma once

#include <functional>
#include <span>

#include "fleet/manager/task.h"

namespace coffer::fleet::manager {

// Every dependency is among `tasks`, nothing depends on itself, no id twice. ManagerError::bad_graph, with the circle
// in the message; conflict for an id twice.
Result<> check_graph(std::span<const Task> tasks);

enum class Readiness { waits, ready, skipped };
using StateOf = std::function<TaskState(std::string_view id)>;
// In a workflow: run_if success (the usual) wants every dependency completed, failure at least one failed; otherwise
// the task is skipped once all are at an end.
Readiness readiness(const Task& task, const StateOf& state_of);

}  // namespace coffer::fleet::manager

// Runs a module with a WASM runtime that is a program of its own. The module is a sealed memory file which the program
// opens as /proc/self/fd/N, so it never touches a disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "workload/error.h"
#include "workload/execution.h"

namespace coffer::workload {

struct ExternalProgram {
  std::string path;                              // looked for in PATH where it has no slash
  std::vector<std::string> leading_arguments{};  // before ours: ["run"]
  bool inherit_stdin = false;
  // Of the program itself, "NAME=value"; none: this process's own. The guest's environment never stands here: a task
  // must not choose LD_PRELOAD.
  std::optional<std::vector<std::string>> environment{};
};

// `<program> LEADING [--invoke f] [--env K=V]... [--dir D]... /proc/self/fd/N ARGS...`, as upstream's runner calls
// wasmtime.
std::vector<std::string> runtime_arguments(const ExternalProgram& program, const Execution& execution,
                                           const std::string& module_path);

// The program's exit code; 128 and the signal's number where a signal ended it, as shells say it. Output streams: to
// the sinks while it runs, or to inherited descriptors. Errors: runtime_missing, timeout and cancelled (the program is
// killed), usage (limits or input that only the embedded runtime can hold).
Result<ExecutionResult> run_external(const ExternalProgram& program, ByteView module, const Execution& execution);

}  // namespace coffer::workload

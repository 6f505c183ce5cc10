// Runs a module with a WASM runtime that is a program of its own. The module is a sealed memory file which the program
// opens as /proc/self/fd/N, so it never touches a disk.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "guest/runner.h"

namespace coffer::guest::detail {

// `<runtime> [--invoke f] [--env K=V]... [--dir D]... /proc/self/fd/N ARGS...`, as upstream's runner calls wasmtime.
std::vector<std::string> runtime_arguments(const RunnerOptions& options, const std::string& module_path);

// The program's exit code; 128 and the signal's number where a signal ended it, as shells say it. Output is inherited
// and therefore streams. Errors: runtime_missing, timeout (the program is killed), usage (limits that only the embedded
// runtime can hold).
Result<int> run_external(const RunnerOptions& options, ByteView module);

}  // namespace coffer::guest::detail

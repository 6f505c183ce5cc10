// Runs a module as a command line asked for it: streams, folders and limits are this program's.
#pragma once

#include "base/bytes.h"
#include "guest/runner.h"

namespace coffer::guest::detail {

// The guest's exit code. With options.invoke the exported function is called and its results are printed, one a line.
// `encrypted`: the module came sealed, so nothing that was made of it may touch a disk.
Result<int> run_module(const RunnerOptions& options, ByteView module, bool encrypted);

}  // namespace coffer::guest::detail

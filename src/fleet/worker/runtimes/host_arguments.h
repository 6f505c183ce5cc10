// Which of a task's cli_args reach the external runtime. A task must not open this machine to itself: folders and
// networks are its operator's to give.
#pragma once

#include <string>
#include <vector>

#include "fleet/worker/error.h"

namespace coffer::fleet::worker {

// Taken: `-S nn`, `-S threads` and their long form `--wasi`; `-W FEATURE` and `--wasm`; `-O opt-level=N` and
// `--optimize`. `--invoke` is taken out before. worker.argument_refused names any other.
Result<std::vector<std::string>> check_host_arguments(const std::vector<std::string>& arguments);

}  // namespace coffer::fleet::worker

// The runner's cache of compiled modules and the key that authenticates it.
#pragma once

#include <optional>

#include "guest/runner.h"
#include "wasm/runtime.h"

namespace coffer::guest::detail {

// Reads the key, or makes it. Nothing where either cannot be had or the key file is not this user's alone: the module
// is then compiled anew, and a warning says why.
std::optional<wasm::DiskCache> open_compiled_cache(const CompiledCache& cache);

}  // namespace coffer::guest::detail

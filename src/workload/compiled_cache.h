// The cache of compiled modules on disk, and the key that authenticates it.
#pragma once

#include <filesystem>
#include <optional>

#include "wasm/runtime.h"
#include "workload/error.h"

namespace coffer::workload {

// Where compiled code of plain modules is kept between runs; what was compiled of encrypted ones never is.
struct CompiledCache {
  std::filesystem::path directory;
  std::filesystem::path key_file;  // authenticates the artefacts; made with mode 0600 on first use
};
// Of this user: below XDG_CACHE_HOME and XDG_STATE_HOME or their defaults. None where HOME is missing, too.
std::optional<CompiledCache> user_compiled_cache();

// Reads the key, or makes it. Nothing where either cannot be had or the key file is not this user's alone: the module
// is then compiled anew, and a warning says why.
std::optional<wasm::DiskCache> open_compiled_cache(const CompiledCache& cache);

}  // namespace coffer::workload

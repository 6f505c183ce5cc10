// Where this user's programs keep what is theirs (XDG Base Directory Specification).
#pragma once

#include <filesystem>
#include <optional>

namespace coffer::workload {

// $XDG_CACHE_HOME or ~/.cache, $XDG_STATE_HOME or ~/.local/state. Nothing where HOME is missing, too.
std::optional<std::filesystem::path> user_cache_directory();
std::optional<std::filesystem::path> user_state_directory();

}  // namespace coffer::workload

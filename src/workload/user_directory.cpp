#include "workload/user_directory.h"

#include <cstdlib>

namespace coffer::workload {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> user_directory(const char* variable, const char* below_home) {
  if (const char* named = std::getenv(variable); named != nullptr && *named == '/') return fs::path{named};
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return std::nullopt;
  return fs::path{home} / below_home;
}

}  // namespace

std::optional<fs::path> user_cache_directory() {
  return user_directory("XDG_CACHE_HOME", ".cache");
}

std::optional<fs::path> user_state_directory() {
  return user_directory("XDG_STATE_HOME", ".local/state");
}

}  // namespace coffer::workload

#include <algorithm>

#include "storage/key_value_store.h"

namespace coffer::storage {
namespace {

bool plain_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool plain_segment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." && std::ranges::all_of(segment, plain_character);
}

}  // namespace

std::string_view code_name(StorageError code) {
  switch (code) {
    case StorageError::bad_key: return "storage.bad_key";
    case StorageError::ambiguous: return "storage.ambiguous";
    case StorageError::conflict: return "storage.conflict";
    case StorageError::too_large: return "storage.too_large";
    case StorageError::unavailable: return "storage.unavailable";
    case StorageError::corrupt: return "storage.corrupt";
  }
  std::unreachable();
}

Result<> check_key(std::string_view space, std::string_view key) {
  if (!plain_segment(space) || space.size() > max_key_size) {
    return fail(StorageError::bad_key, "the namespace \"" + std::string{space.substr(0, 64)} +
                                           "\" is not made of letters, digits, '.', '_' and '-'");
  }
  bool good = key.size() <= max_key_size;
  for (std::string_view rest = key; good;) {
    const auto slash = rest.find('/');
    good = plain_segment(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (good) return {};
  return fail(StorageError::bad_key,
              "the key \"" + std::string{key.substr(0, 64)} +
                  "\" is not 1 to 512 letters, digits, '.', '_' and '-' in segments parted by '/'");
}

}  // namespace coffer::storage

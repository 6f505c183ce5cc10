#include "storage/detail/local_fs_layout.h"

#include <algorithm>

namespace coffer::storage::detail {
namespace {

// Trustee writes '/' as these four characters.
constexpr std::string_view slash = "\\x2F";

}  // namespace

std::string LocalFsLayout::file_name(std::string_view key) {
  std::string name;
  for (const char c : key) name += c == '/' ? std::string{slash} : std::string{c};
  return name;
}

std::optional<std::string> LocalFsLayout::key_of(std::string_view file_name) {
  std::string key;
  while (!file_name.empty()) {
    const bool escaped = file_name.starts_with(slash);
    key += escaped ? '/' : file_name.front();
    file_name.remove_prefix(escaped ? slash.size() : 1);
  }
  if (!check_key("any", key)) return std::nullopt;
  return key;
}

// Exactly <repo>/<type>/<tag>, so that no file of another namespace (directory/<namespace>/<name>) is taken for one.
bool LocalFsLayout::fits_below_root(std::string_view space, std::string_view key) const {
  return nested_below_root(space) && std::ranges::count(key, '/') == 2 && is_repository(key.substr(0, key.find('/')));
}

std::vector<std::string> LocalFsLayout::candidates(std::string_view space, std::string_view key) const {
  const auto folder = std::string{space} + "/";
  std::vector<std::string> paths{folder + file_name(key)};
  if (nested_below_space(space) && key.contains('/')) paths.push_back(folder + std::string{key});
  if (fits_below_root(space, key)) paths.emplace_back(key);
  return paths;
}

std::string LocalFsLayout::home(std::string_view space, std::string_view key) const {
  if (nested_ && fits_below_root(space, key)) return std::string{key};
  return std::string{space} + "/" + file_name(key);
}

}  // namespace coffer::storage::detail

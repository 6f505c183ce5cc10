// Where LocalFs keeps a key, as paths relative to its directory. No file is touched here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/key_value_store.h"

namespace coffer::storage::detail {

class LocalFsLayout {
 public:
  explicit LocalFsLayout(const LocalFsOptions& options)
      : nested_(options.nested), nested_space_(options.nested_space) {}

  // All files that may hold this key, no two keys sharing one.
  std::vector<std::string> candidates(std::string_view space, std::string_view key) const;
  // Where a key that is new is written.
  std::string home(std::string_view space, std::string_view key) const;

  // The keys of `space` may also lie in folders below directory/<space>.
  bool nested_below_space(std::string_view space) const { return !nested_ && space == nested_space_; }
  // The keys of `space` may also lie in files three levels down; and whether that is so in this top folder.
  bool nested_below_root(std::string_view space) const { return space == nested_space_; }
  bool is_repository(std::string_view top_folder) const { return nested_ || top_folder != nested_space_; }

  // "default\x2Fkey\x2Fk1" for "default/key/k1", and back; nothing for a name that stands for no key.
  static std::string file_name(std::string_view key);
  static std::optional<std::string> key_of(std::string_view file_name);

 private:
  bool fits_below_root(std::string_view space, std::string_view key) const;

  bool nested_;
  std::string nested_space_;
};

}  // namespace coffer::storage::detail

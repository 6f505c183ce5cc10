// A file of group keys, read again when it changes.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>

#include "fleet/sealed/group_keys.h"

namespace coffer::fleet::sealed {

class KeyFile {
 public:
  explicit KeyFile(std::filesystem::path path) : path_(std::move(path)) {}

  // The keys, where the file is another than at the last call that gave some or failed; nothing where it is the same.
  // SealedError::exposed_key_file, unreadable_key_file, bad_key_list.
  Result<std::optional<GroupKeys>> read_if_changed();

  const std::filesystem::path& path() const { return path_; }

 private:
  // What changes when a file is written or replaced.
  struct Stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    std::int64_t modified, changed;  // nanoseconds
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  static Stamp stamp_of(const struct stat& status);

  std::filesystem::path path_;
  std::optional<Stamp> last_;
};

// The keys of a file that its owner alone may read: once.
Result<GroupKeys> read_key_file(const std::filesystem::path& path);

}  // namespace coffer::fleet::sealed

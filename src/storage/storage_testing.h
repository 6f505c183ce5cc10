// A directory of a test's own, and one way to open each kind of store in it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "storage/key_value_store.h"

namespace coffer::storage {

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }
  // Creates folders on the way.
  void write(const std::filesystem::path& relative, std::string_view content) const;
  std::string read(const std::filesystem::path& relative) const;

 private:
  std::filesystem::path path_;
};

enum class Kind { memory, local_fs, local_fs_nested, sqlite };
std::string_view name_of(Kind kind);
std::unique_ptr<KeyValueStore> open_store(Kind kind, const std::filesystem::path& directory);

}  // namespace coffer::storage

// Whole files, with errors that name them.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "base/result.h"
#include "vm/error.h"

namespace coffer::vm {

Result<Bytes> read_file(const std::filesystem::path& file);
Result<> write_file(const std::filesystem::path& file, ByteView content);
Result<> make_directories(const std::filesystem::path& directory);

// A directory of its own below $TMPDIR, removed with everything in it.
class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> create();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~TemporaryDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace coffer::vm

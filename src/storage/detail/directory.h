// Files below one directory: read, replace atomically, remove, list. Nothing outside is reached, whatever links say.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file_descriptor.h"
#include "base/result.h"
#include "storage/key_value_store.h"

namespace coffer::storage::detail {

// Paths are relative, of plain segments. Errors are StorageError::unavailable with the file's name.
class Directory {
 public:
  // Creates it with mode 0700 where absent.
  static Result<Directory> open(const std::filesystem::path& path);

  // Keeps other processes from writing until it is destroyed.
  class WriteLock {
   public:
    explicit WriteLock(int directory) : directory_(directory) {}
    WriteLock(WriteLock&& other) noexcept : directory_(std::exchange(other.directory_, -1)) {}
    WriteLock& operator=(WriteLock&&) = delete;
    ~WriteLock();

   private:
    int directory_;
  };
  Result<WriteLock> lock() const;

  bool is_file(const std::string& path) const;
  // Nothing where there is no regular file; too_large over max_value_size.
  Result<std::optional<Bytes>> read(const std::string& path) const;
  // Under the lock: a new file of mode 0600 takes the place of the old one, or nothing changes. Durable on return.
  // Folders on the way are created with mode 0700.
  Result<> replace(const std::string& path, ByteView content) const;
  Result<> remove(const std::string& path) const;

  struct Entry {
    std::string name;
    bool is_folder;  // otherwise a regular file; everything else is left out
  };
  // Of the folder `path` ("." is the directory itself), without following a link to it; none where it is absent.
  Result<std::vector<Entry>> entries(const std::string& path) const;

  std::string name_of(const std::string& path) const { return (path_ / path).string(); }

 private:
  Directory(std::filesystem::path path, FileDescriptor root) : path_(std::move(path)), root_(std::move(root)) {}
  std::unexpected<Error> failed(std::string_view action, const std::string& path, int error) const;
  Result<FileDescriptor> make_parent(const std::string& path) const;

  std::filesystem::path path_;
  FileDescriptor root_;
};

}  // namespace coffer::storage::detail

// Where a task's storage lies: below a folder that its start names and the operator allows, or in one of its own that
// is removed with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "workload/hal/error.h"

namespace coffer::workload::hal {

struct StorageSettings {
  std::filesystem::path own{};  // has a folder for each task that names none; empty: no storage for these
  std::vector<std::filesystem::path> allowed{};       // below these a start's hal_storage_path may lie
  std::uint64_t max_size = std::uint64_t{256} << 20;  // bytes of one task's objects together
};

// The folder's place: storage_refused unless `wanted` is absolute, without "..", and one of `allowed` or below it.
struct StoragePlace {
  std::filesystem::path root;      // the allowed folder
  std::filesystem::path relative;  // below it; may be empty
};
Result<StoragePlace> find_storage(const StorageSettings& settings, const std::filesystem::path& wanted);

// Makes `own` anew, empty and this user's alone: nothing is left there of a worker that was killed. io.
Result<> prepare_own_storage(const std::filesystem::path& own);

// An open folder, removed with the object where it is the task's own.
class StorageFolder {
 public:
  // `wanted` empty: a new folder below settings.own. unavailable, storage_refused (also where a link leads out of the
  // allowed folder), io.
  static Result<StorageFolder> open(const StorageSettings& settings, const std::filesystem::path& wanted);
  StorageFolder(StorageFolder&&) noexcept = default;
  StorageFolder& operator=(StorageFolder&&) noexcept = default;
  ~StorageFolder();

  int descriptor() const { return folder_.get(); }

 private:
  StorageFolder() = default;
  static Result<StorageFolder> make_own(const std::filesystem::path& own);
  static Result<StorageFolder> open_below(const StoragePlace& place);

  FileDescriptor parent_, folder_;
  std::string own_name_;  // in parent_; empty: not the task's own
};

}  // namespace coffer::workload::hal

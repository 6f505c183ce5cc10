// Containers and objects as folders and files: <folder>/<container>/<key>. Names are file names, checked before use;
// nothing is followed out of the folder.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_bytes.h"
#include "crypto/random.h"
#include "workload/hal/storage_folder.h"

namespace coffer::workload::hal {

struct ObjectFacts {
  std::uint64_t size = 0;       // bytes, as the task gave them
  std::int64_t created_at = 0;  // seconds since 1970: when it was last stored
};

class ObjectStore {
 public:
  static constexpr std::size_t max_name = 200;       // bytes
  static constexpr std::size_t max_containers = 64;  // in one folder
  static constexpr std::size_t max_objects = 4096;   // in one folder

  struct Options {
    std::uint64_t max_size = 0;              // bytes of all objects
    std::optional<SecretBytes> seal_with{};  // AES-256-GCM; empty: objects lie there as they are
    crypto::RandomSource* random = &crypto::system_random();
  };
  // Looks through the folder for what it holds already. io.
  static Result<std::unique_ptr<ObjectStore>> open(StorageFolder folder, Options options);

  // bad_value for a name that is none, limit, not_found, io. Making what is there already is no error.
  Result<> make_container(const std::string& container);
  Result<> remove_container(const std::string& container);
  Result<> put(const std::string& container, const std::string& key, ByteView data);
  // Also bad_value for an object that this task did not seal, limit for one that is too large to carry.
  Result<Bytes> get(const std::string& container, const std::string& key) const;
  Result<> remove(const std::string& container, const std::string& key);
  Result<std::vector<std::string>> list(const std::string& container) const;  // in the order of the names
  Result<ObjectFacts> facts(const std::string& container, const std::string& key) const;

 private:
  ObjectStore(StorageFolder folder, Options options);
  Result<FileDescriptor> open_container(const std::string& container) const;
  Result<> count_what_is_there();
  Result<> write_file(int container, const std::string& key, ByteView content);
  Result<Bytes> sealed(const std::string& container, const std::string& key, ByteView data) const;
  Result<Bytes> opened(const std::string& container, const std::string& key, Bytes content) const;

  StorageFolder folder_;
  Options options_;
  std::string unfinished_;
  mutable std::mutex mutex_;
  std::uint64_t used_ = 0;
  std::size_t containers_ = 0, objects_ = 0;
};

// A file name that leads nowhere else: 1 to max_name bytes without '/', control characters and a dot at its start.
Result<> check_name(std::string_view name);

}  // namespace coffer::workload::hal

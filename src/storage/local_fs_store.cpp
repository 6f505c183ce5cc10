#include <algorithm>
#include <set>

#include "storage/detail/checks.h"
#include "storage/detail/directory.h"
#include "storage/detail/local_fs_layout.h"
#include "storage/key_value_store.h"

namespace coffer::storage {
namespace {

using detail::Directory;
using detail::LocalFsLayout;

class LocalFsStore final : public KeyValueStore {
 public:
  LocalFsStore(Directory directory, const LocalFsOptions& options)
      : directory_(std::move(directory)), layout_(options) {}

  Result<std::optional<Bytes>> get(std::string_view space, std::string_view key) override {
    TRY(check_key(space, key));
    return read(space, key);
  }

  Result<> put(std::string_view space, std::string_view key, ByteView value) override {
    TRY(detail::check_value(space, key, value));
    const std::scoped_lock here(mutex_);
    const auto elsewhere = TRY(directory_.lock());
    return write(space, key, value);
  }

  Result<> put_if(std::string_view space, std::string_view key, std::optional<ByteView> expected,
                  ByteView value) override {
    TRY(detail::check_value(space, key, value));
    const std::scoped_lock here(mutex_);
    const auto elsewhere = TRY(directory_.lock());
    const auto present = TRY(read(space, key));
    const bool same = expected ? present && equal(*present, *expected) : !present;
    if (!same) return detail::conflict(space, key);
    return write(space, key, value);
  }

  Result<bool> erase(std::string_view space, std::string_view key) override {
    TRY(check_key(space, key));
    const std::scoped_lock here(mutex_);
    const auto elsewhere = TRY(directory_.lock());
    const auto path = TRY(find(space, key));
    if (path) TRY(directory_.remove(*path));
    return path.has_value();
  }

  Result<std::vector<std::string>> list(std::string_view space, std::string_view prefix, std::string_view after,
                                        std::size_t limit) override {
    TRY(detail::check_space(space));
    std::set<std::string, std::less<>> keys;
    TRY(collect_flat(std::string{space}, keys));
    if (layout_.nested_below_root(space)) TRY(collect_repositories(keys));
    std::vector<std::string> out;
    for (auto it = keys.lower_bound(std::max(prefix, after)); it != keys.end() && out.size() < limit; ++it) {
      if (it->starts_with(prefix) && *it > after) out.push_back(*it);
    }
    return out;
  }

 private:
  using Keys = std::set<std::string, std::less<>>;

  // The file that holds the key, or nothing.
  Result<std::optional<std::string>> find(std::string_view space, std::string_view key) const {
    std::optional<std::string> found;
    for (auto& path : layout_.candidates(space, key)) {
      if (!directory_.is_file(path)) continue;
      if (found) {
        return fail(StorageError::ambiguous, "'" + std::string{key} + "' stands in two files, " +
                                                 directory_.name_of(*found) + " and " + directory_.name_of(path) +
                                                 "; remove one");
      }
      found = std::move(path);
    }
    return found;
  }

  Result<std::optional<Bytes>> read(std::string_view space, std::string_view key) const {
    const auto path = TRY(find(space, key));
    if (!path) return std::nullopt;
    return directory_.read(*path);
  }

  // Replaces the file that holds the key, so that a second one never comes to be.
  Result<> write(std::string_view space, std::string_view key, ByteView value) const {
    const auto path = TRY(find(space, key));
    return directory_.replace(path ? *path : layout_.home(space, key), value);
  }

  Result<> collect_flat(const std::string& space, Keys& keys) const {
    for (const auto& entry : TRY(directory_.entries(space))) {
      if (entry.is_folder) {
        if (layout_.nested_below_space(space)) TRY(collect_folder(space, entry.name, keys));
      } else if (auto key = LocalFsLayout::key_of(entry.name)) {
        keys.insert(*std::move(key));
      }
    }
    return {};
  }

  // Files of the folder whose keys begin with `key_so_far`; keys' own length bounds the depth.
  Result<> collect_folder(const std::string& base, const std::string& key_so_far, Keys& keys) const {
    if (!check_key("any", key_so_far)) return {};
    for (const auto& entry : TRY(directory_.entries(base + "/" + key_so_far))) {
      auto key = key_so_far;
      key.append("/").append(entry.name);
      if (entry.is_folder) {
        TRY(collect_folder(base, key, keys));
      } else if (check_key("any", key)) {
        keys.insert(key);
      }
    }
    return {};
  }

  // directory/<repo>/<type>/<tag>.
  Result<> collect_repositories(Keys& keys) const {
    for (const auto& repository : TRY(directory_.entries("."))) {
      if (!repository.is_folder || !layout_.is_repository(repository.name)) continue;
      for (const auto& type : TRY(directory_.entries(repository.name))) {
        if (!type.is_folder) continue;
        const auto path = repository.name + "/" + type.name;
        for (const auto& tag : TRY(directory_.entries(path))) {
          if (!tag.is_folder && check_key("any", path + "/" + tag.name)) keys.insert(path + "/" + tag.name);
        }
      }
    }
    return {};
  }

  Directory directory_;
  LocalFsLayout layout_;
  std::mutex mutex_;  // the directory's lock is one for all threads of a process
};

}  // namespace

Result<std::unique_ptr<KeyValueStore>> open_local_fs_store(const LocalFsOptions& options) {
  TRY(detail::check_space(options.nested_space));
  auto directory = TRY(Directory::open(options.directory));
  return std::make_unique<LocalFsStore>(std::move(directory), options);
}

}  // namespace coffer::storage

#include <map>
#include <mutex>

#include "base/secret_bytes.h"
#include "storage/detail/checks.h"
#include "storage/key_value_store.h"

namespace coffer::storage {
namespace {

class MemoryStore final : public KeyValueStore {
 public:
  Result<std::optional<Bytes>> get(std::string_view space, std::string_view key) override {
    TRY(check_key(space, key));
    const std::scoped_lock lock(mutex_);
    const auto found = values_.find({std::string{space}, std::string{key}});
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }

  Result<> put(std::string_view space, std::string_view key, ByteView value) override {
    TRY(detail::check_value(space, key, value));
    const std::scoped_lock lock(mutex_);
    replace({std::string{space}, std::string{key}}, value);
    return {};
  }

  Result<> put_if(std::string_view space, std::string_view key, std::optional<ByteView> expected,
                  ByteView value) override {
    TRY(detail::check_value(space, key, value));
    const std::scoped_lock lock(mutex_);
    const auto found = values_.find({std::string{space}, std::string{key}});
    const bool present = found != values_.end();
    if (present != expected.has_value() || (present && !equal(found->second, *expected))) {
      return detail::conflict(space, key);
    }
    replace({std::string{space}, std::string{key}}, value);
    return {};
  }

  Result<bool> erase(std::string_view space, std::string_view key) override {
    TRY(check_key(space, key));
    const std::scoped_lock lock(mutex_);
    const auto found = values_.find({std::string{space}, std::string{key}});
    if (found == values_.end()) return false;
    wipe(found->second);
    values_.erase(found);
    return true;
  }

  Result<std::vector<std::string>> list(std::string_view space, std::string_view prefix, std::string_view after,
                                        std::size_t limit) override {
    TRY(detail::check_space(space));
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> keys;
    for (auto entry = values_.lower_bound({std::string{space}, std::string{std::max(prefix, after)}});
         entry != values_.end() && entry->first.first == space && keys.size() < limit; ++entry) {
      const auto& key = entry->first.second;
      if (!key.starts_with(prefix)) {
        if (key > prefix) break;
        continue;
      }
      if (key > after || after.empty()) keys.push_back(key);
    }
    return keys;
  }

 private:
  using Place = std::pair<std::string, std::string>;

  // Values may be keys: what is no longer kept is wiped.
  void replace(const Place& place, ByteView value) {
    auto& kept = values_[place];
    wipe(kept);
    kept = to_bytes(value);
  }

  std::mutex mutex_;
  std::map<Place, Bytes> values_;
};

}  // namespace

std::unique_ptr<KeyValueStore> make_memory_store() {
  return std::make_unique<MemoryStore>();
}

}  // namespace coffer::storage

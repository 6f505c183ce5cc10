// What was verified, or parsed at some cost, by the exact bytes that it came from. Readers of different shards never
// meet; within one they hold a lock for the length of a map look-up.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace coffer::evidence {

template <class Value>
class VerifiedCache {
 public:
  using Pointer = std::shared_ptr<const Value>;

  // The value kept for `key`, or what `verify` makes of it, which is kept where it is no error. Two threads that ask
  // for a new key at once may both verify it.
  template <class Verify>
  Result<Pointer> get(std::string_view key, const Verify& verify) {
    if (auto found = find(key)) return found;
    auto made = std::make_shared<const Value>(TRY(verify()));
    put(key, made);
    return made;
  }

  Pointer find(std::string_view key) { return shard_of(key).find(key); }
  void put(std::string_view key, Pointer value) { shard_of(key).put(key, std::move(value)); }

 private:
  // Far more platforms than a shard's share of a large fleet; beyond it the shard starts anew.
  static constexpr std::size_t max_entries = 256;

  class Shard {
   public:
    Pointer find(std::string_view key) {
      const std::scoped_lock lock{mutex_};
      const auto found = entries_.find(key);
      return found == entries_.end() ? nullptr : found->second;
    }
    void put(std::string_view key, Pointer value) {
      const std::scoped_lock lock{mutex_};
      if (entries_.size() >= max_entries) entries_.clear();
      entries_.insert_or_assign(std::string{key}, std::move(value));
    }

   private:
    std::mutex mutex_;
    std::map<std::string, Pointer, std::less<>> entries_;
  };

  Shard& shard_of(std::string_view key) { return shards_[std::hash<std::string_view>{}(key) % shards_.size()]; }

  std::array<Shard, 16> shards_;
};

}  // namespace coffer::evidence

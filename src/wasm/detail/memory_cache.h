// Compiled modules of this process, least recently used first out.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace coffer::wasm::detail {

template <class T>
class MemoryCache {
 public:
  explicit MemoryCache(std::size_t capacity) : capacity_(capacity) {}

  // Null where there is none.
  std::shared_ptr<const T> find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->first != key) continue;
      entries_.splice(entries_.begin(), entries_, it);
      return it->second;
    }
    return nullptr;
  }

  void insert(const std::string& key, std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const auto& entry) { return entry.first == key; });
    entries_.emplace_front(key, std::move(value));
    while (entries_.size() > capacity_) entries_.pop_back();
  }

 private:
  std::mutex mutex_;
  std::size_t capacity_;
  std::list<std::pair<std::string, std::shared_ptr<const T>>> entries_;
};

}  // namespace coffer::wasm::detail

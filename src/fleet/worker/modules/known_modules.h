// Plain modules that were compiled here, by what names them for good: their own digest, or that of the manifest that
// they came with. Whoever starts one under such a name needs nothing fetched and nothing hashed.
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <string>

#include "wasm/module.h"

namespace coffer::fleet::worker {

class KnownModules {
 public:
  explicit KnownModules(std::size_t capacity) : capacity_(capacity) {}

  // `metered`: whether it counts its instructions, which is compiled apart.
  std::optional<wasm::Module> find(const std::string& name, bool metered);
  // What was not used for the longest time makes room.
  void remember(const std::string& name, bool metered, wasm::Module module);

 private:
  struct Entry {
    std::string name;
    bool metered;
    wasm::Module module;
  };
  using Place = std::list<Entry>::iterator;
  Place place_of(const std::string& name, bool metered);

  const std::size_t capacity_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // used last first
};

}  // namespace coffer::fleet::worker

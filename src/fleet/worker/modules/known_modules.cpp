#include "fleet/worker/modules/known_modules.h"

#include <algorithm>

namespace coffer::fleet::worker {

KnownModules::Place KnownModules::place_of(const std::string& name, bool metered) {
  return std::ranges::find_if(entries_,
                              [&](const Entry& entry) { return entry.metered == metered && entry.name == name; });
}

std::optional<wasm::Module> KnownModules::find(const std::string& name, bool metered) {
  const std::lock_guard lock(mutex_);
  const auto found = place_of(name, metered);
  if (found == entries_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found);
  return found->module;
}

void KnownModules::remember(const std::string& name, bool metered, wasm::Module module) {
  const std::lock_guard lock(mutex_);
  if (const auto found = place_of(name, metered); found != entries_.end()) entries_.erase(found);
  entries_.push_front({name, metered, std::move(module)});
  if (entries_.size() > capacity_) entries_.pop_back();
}

}  // namespace coffer::fleet::worker

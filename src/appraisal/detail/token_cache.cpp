#include "appraisal/detail/token_cache.h"

namespace coffer::appraisal::detail {

std::shared_ptr<const VerifiedToken> TokenCache::find(const std::string& hash, TimePoint now) {
  const std::lock_guard lock{mutex_};
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return nullptr;
  const auto entry = found->second;
  if (now >= entry->until) {
    by_hash_.erase(found);
    entries_.erase(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->token;
}

void TokenCache::insert(const std::string& hash, std::shared_ptr<const VerifiedToken> token, TimePoint until) {
  const std::lock_guard lock{mutex_};
  if (capacity_ == 0 || by_hash_.contains(hash)) return;
  if (entries_.size() >= capacity_) {
    by_hash_.erase(entries_.back().hash);
    entries_.pop_back();
  }
  entries_.push_front({hash, std::move(token), until});
  by_hash_.emplace(hash, entries_.begin());
}

std::size_t TokenCache::size() const {
  const std::lock_guard lock{mutex_};
  return entries_.size();
}

}  // namespace coffer::appraisal::detail

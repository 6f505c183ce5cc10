// Verified tokens by the hash of their text, least recently used out first. Safe from any thread.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "appraisal/token_verifier.h"

namespace coffer::appraisal::detail {

class TokenCache {
 public:
  explicit TokenCache(std::size_t capacity) : capacity_(capacity) {}

  // Null where the token is unknown or its verdict no longer holds at `now`.
  std::shared_ptr<const VerifiedToken> find(const std::string& hash, TimePoint now);
  // The verdict holds before `until`.
  void insert(const std::string& hash, std::shared_ptr<const VerifiedToken> token, TimePoint until);
  std::size_t size() const;

 private:
  struct Entry {
    std::string hash;
    std::shared_ptr<const VerifiedToken> token;
    TimePoint until;
  };
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_hash_;
};

}  // namespace coffer::appraisal::detail

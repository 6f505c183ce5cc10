// Chains that were verified before: an enclave's certificates live for three hours, and it attests more than once.
#pragma once

#include <array>
#include <map>
#include <mutex>

#include "evidence/nitro/chain.h"

namespace coffer::evidence::nitro {

class ChainCache {
 public:
  // As verify_chain(), which it asks where these very certificates were not verified before, or not for this time.
  // Safe from any thread; chains fall into shards of their own, so that appraisals hardly ever meet at a lock.
  Result<TrustedLeaf> verify(const Payload& payload, std::span<const crypto::Certificate> simulated_roots,
                             TimePoint at);

  std::size_t size() const;  // for tests

  static constexpr std::size_t max_chains_per_shard = 64;

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::map<Bytes, TrustedLeaf> chains;  // by SHA-256 of all certificates with their lengths
  };
  std::array<Shard, 16> shards_;
};

}  // namespace coffer::evidence::nitro

#include "evidence/nitro/chain_cache.h"

#include "base/byte_reader.h"

namespace coffer::evidence::nitro {

namespace {

// With lengths, so that no other cut of the same bytes has the same key.
Bytes key_of(const Payload& payload) {
  crypto::Hasher hasher(crypto::HashAlgorithm::sha256);
  const auto add = [&](ByteView certificate) {
    hasher.update(ByteWriter{}.u32_be(static_cast<std::uint32_t>(certificate.size())).view());
    hasher.update(certificate);
  };
  add(payload.certificate);
  for (const auto& certificate : payload.cabundle) add(certificate);
  return hasher.finish();
}

bool holds(const TrustedLeaf& leaf, TimePoint at) {
  return at >= leaf.valid_from && at <= leaf.valid_until;
}

}  // namespace

Result<TrustedLeaf> ChainCache::verify(const Payload& payload, std::span<const crypto::Certificate> simulated_roots,
                                       TimePoint at) {
  auto key = key_of(payload);
  auto& shard = shards_[std::to_integer<std::size_t>(key[0]) % shards_.size()];
  {
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.chains.find(key);
    if (found != shard.chains.end() && holds(found->second, at)) return found->second;
  }
  auto leaf = TRY(verify_chain(payload, simulated_roots, at));
  const std::lock_guard lock(shard.mutex);
  // What a stranger could fill is emptied rather than tended: only chains that were verified get in at all.
  if (shard.chains.size() >= max_chains_per_shard) shard.chains.clear();
  shard.chains.insert_or_assign(std::move(key), leaf);
  return leaf;
}

std::size_t ChainCache::size() const {
  std::size_t out = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    out += shard.chains.size();
  }
  return out;
}

}  // namespace coffer::evidence::nitro

// Makes event logs: for the attestation agent's entries, simulators and tests.
#pragma once

#include <string_view>
#include <vector>

#include "evidence/eventlog/event_log.h"

namespace coffer::evidence::eventlog {

struct OwnedDigest {
  crypto::HashAlgorithm algorithm;
  Bytes digest;
};

// One TCG_PCR_EVENT2.
Bytes encode_event(std::uint32_t index, EventType type, std::span<const OwnedDigest> digests, ByteView data);

class LogWriter {
 public:
  // Begins with the specification ID event that lists these algorithms.
  explicit LogWriter(std::vector<crypto::HashAlgorithm> algorithms);

  // An event whose digests are the hashes of `measured`, which need not be `data`.
  LogWriter& add(std::uint32_t index, EventType type, ByteView data, ByteView measured);
  LogWriter& add(std::uint32_t index, EventType type, ByteView data) { return add(index, type, data, data); }
  // With digests of the caller's choice, one for each algorithm in the header's order.
  LogWriter& add_digests(std::uint32_t index, EventType type, ByteView data, std::span<const OwnedDigest> digests);

  const Bytes& log() const { return log_; }

 private:
  std::vector<crypto::HashAlgorithm> algorithms_;
  Bytes log_;
};

// TCG_PCClientTaggedEvent: id, size, data. Linux's EFI stub writes its events so.
Bytes tagged_event(std::uint32_t id, ByteView data);
inline constexpr std::uint32_t agent_event_id = 0x4141454c;         // "AAEL"
inline constexpr std::uint32_t linux_load_options_id = 0x8f3b22ed;  // "LOADED_IMAGE::LoadOptions"
inline constexpr std::uint32_t linux_initrd_id = 0x8f3b22ec;        // "Linux initrd"

}  // namespace coffer::evidence::eventlog

// Measured boot's event logs: what was extended into which register, in order. The TCG's crypto-agile form (PC Client
// Platform Firmware Profile 1.06, section 10), which ACPI's CCEL table (UEFI 2.11 section 38) and the attestation
// agent's appended entries share, and the older form with SHA-1 alone. A log proves nothing by itself: replay() must
// lead to what hardware signed.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/eventlog/error.h"

namespace coffer::evidence::eventlog {

// TCG_PCR_EVENT2.eventType (section 10.4.1). Any other number may occur too.
enum class EventType : std::uint32_t {
  preboot_cert = 0x0,
  post_code = 0x1,
  unused = 0x2,
  no_action = 0x3,  // tells the reader something; extends nothing
  separator = 0x4,
  action = 0x5,
  event_tag = 0x6,  // Linux's EFI stub (command line, initrd) and the attestation agent's entries
  s_crtm_contents = 0x7,
  s_crtm_version = 0x8,
  cpu_microcode = 0x9,
  platform_config_flags = 0xa,
  table_of_devices = 0xb,
  compact_hash = 0xc,
  ipl = 0xd,
  ipl_partition_data = 0xe,
  nonhost_code = 0xf,
  nonhost_config = 0x10,
  nonhost_info = 0x11,
  omit_boot_device_events = 0x12,
  efi_event_base = 0x80000000,
  efi_variable_driver_config = 0x80000001,
  efi_variable_boot = 0x80000002,
  efi_boot_services_application = 0x80000003,
  efi_boot_services_driver = 0x80000004,
  efi_runtime_services_driver = 0x80000005,
  efi_gpt_event = 0x80000006,
  efi_action = 0x80000007,
  efi_platform_firmware_blob = 0x80000008,
  efi_handoff_tables = 0x80000009,
  efi_platform_firmware_blob2 = 0x8000000a,
  efi_handoff_tables2 = 0x8000000b,
  efi_variable_boot2 = 0x8000000c,
  efi_hcrtm_event = 0x80000010,
  efi_variable_authority = 0x800000e0,
  efi_spdm_firmware_blob = 0x800000e1,
  efi_spdm_firmware_config = 0x800000e2,
};
// "EV_SEPARATOR", ...; "EV_UNKNOWN_0x0000abcd" for the others.
std::string type_name(EventType type);
std::optional<EventType> parse_event_type(std::string_view name);

// TPM_ALG_ID of the TCG registry: 0x0004 SHA-1, 0x000b SHA-256, 0x000c SHA-384, 0x000d SHA-512, 0x0012 SM3.
std::uint16_t algorithm_id(crypto::HashAlgorithm algorithm);
std::optional<crypto::HashAlgorithm> algorithm_of_id(std::uint16_t id);
// "SHA-384", "SM3" as upstream's claims write it.
std::string_view claim_name(crypto::HashAlgorithm algorithm);

struct EventDigest {
  crypto::HashAlgorithm algorithm;
  ByteView digest;
};

// Views into the log that they came from.
struct Event {
  std::uint32_t index;  // PCR of a TPM; in a CC log 0 is MRTD and n the RTMR n-1
  EventType type;
  std::vector<EventDigest> digests;
  ByteView data;

  // Nothing where the event has no digest of that algorithm.
  std::optional<ByteView> digest(crypto::HashAlgorithm algorithm) const;
  // Whether each digest is the hash of `data`: true for what is logged itself (variables, separators, actions), false
  // for what is only described (firmware, images).
  bool digest_matches_data() const;
};

// Firmware's logs are under 256 KiB; the agent's entries follow.
inline constexpr std::size_t max_log_size = 4U << 20;
inline constexpr std::size_t max_events = 16384;

class EventLog {
 public:
  // Either form. A mark of 8 bytes 0xff or 0x00 where an entry would begin ends the log (CCEL's unused rest, upstream's
  // end mark). truncated, bad_header, bad_event, too_large.
  static Result<EventLog> parse(ByteView log);

  const std::vector<Event>& events() const { return events_; }
  // What the header lists, in its order; SHA-1 for the older form.
  const std::vector<crypto::HashAlgorithm>& algorithms() const { return algorithms_; }
  bool has_algorithm(crypto::HashAlgorithm algorithm) const;
  // Size of the part that was read: up to the end mark.
  std::size_t size() const { return size_; }

  // The register's value after all events of `index`, from zeros (for PCR 0 from what StartupLocality tells, for PCR 17
  // to 22 from ones): extend is hash(old || digest). Events of type no_action extend nothing. unknown_algorithm.
  Result<Bytes> replay(std::uint32_t index, crypto::HashAlgorithm algorithm) const;

  // Upstream's `uefi_event_logs`: [{"details","digest_matches_event","digests":[{"alg","digest" hex}],"event" base64,
  // "index","type_name"}]. Without the header's own entry.
  codec::json::Array claims() const;

 private:
  EventLog() = default;
  std::shared_ptr<const Bytes> bytes_;  // what the events view
  std::vector<Event> events_;
  std::vector<crypto::HashAlgorithm> algorithms_;
  std::size_t size_ = 0;
  std::uint8_t startup_locality_ = 0;
};

// What hardware states of a register, to be reached by replay.
struct StatedRegister {
  std::string name;     // for the error: "RTMR1", "PCR 4"
  std::uint32_t index;  // as the log counts
  Bytes value;
};
// replay_mismatch names the first register that the log does not explain, with its stated and replayed values.
Result<> check_replay(const EventLog& log, crypto::HashAlgorithm algorithm, std::span<const StatedRegister> stated);

}  // namespace coffer::evidence::eventlog

// SEV-SNP's launch digest under QEMU, as the processor would report it (`measurement` of the attestation report).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/measure/error.h"

namespace coffer::evidence::measure {

struct SnpLaunch {
  ByteView firmware;  // OVMF built with SNP metadata
  // Instead of measuring the firmware's own pages: the digest after them (`snp_firmware_digest`), where only its tables
  // are at hand.
  std::optional<Bytes> firmware_digest{};
  std::optional<ByteView> kernel{};  // measured direct boot; as on disk
  ByteView initrd{};
  std::string command_line{};
  std::string cpu_type{};  // "EPYC-Milan", as given to QEMU's -cpu
  unsigned cpus = 1;
  std::uint64_t guest_features = 1;  // SEV_FEATURES: bit 0 SNP is active
};

// 48 bytes. bad_firmware, also for a kernel where the firmware has no place for its hash; bad_machine.
Result<Bytes> snp_launch_digest(const SnpLaunch& launch);
// The digest after the firmware's own pages, before its metadata.
Result<Bytes> snp_firmware_digest(ByteView firmware);

// Names of QEMU's processor types that are known here.
std::span<const std::string_view> snp_cpu_types();

}  // namespace coffer::evidence::measure

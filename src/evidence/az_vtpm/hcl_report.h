// The report of Azure's paravisor (Host Compatibility Layer): a hardware report, and the runtime data that it vouches
// for. Microsoft, "Azure confidential VMs: guest attestation", attestation report format.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/json.h"
#include "crypto/keys.h"
#include "evidence/az_vtpm/error.h"

namespace coffer::evidence::az_vtpm {

enum class Hardware : std::uint32_t { snp = 2, tdx = 4 };
std::string_view name_of(Hardware hardware);  // "SEV-SNP", "TDX"

inline constexpr std::size_t hardware_report_size = 1184;
inline constexpr std::size_t td_report_size = 1024;  // at the front of that room

// Views into the report that was parsed.
struct HclReport {
  Hardware hardware;
  ByteView hardware_report;  // a SEV-SNP report, or a TDREPORT and zeros
  ByteView runtime_data;     // JSON; its SHA-256 stands in the first half of the hardware report's report data

  // Header of 32 bytes, hardware report, request data of 20 bytes, runtime data; what follows is the NV index's unused
  // rest. bad_hcl_report.
  static Result<HclReport> parse(ByteView report);
  // With zeros up to `size`.
  Bytes encode(std::size_t size) const;
};

// What the runtime data says.
struct RuntimeClaims {
  crypto::PublicKey attestation_key;  // "HCLAkPub"
  Bytes user_data;                    // what was written into the NV index before the report was made
  // bad_runtime_data.
  static Result<RuntimeClaims> parse(ByteView runtime_data);
};

// runtime_data_mismatch where `report_data` (64 bytes) does not begin with the digest.
Result<> check_runtime_data(ByteView runtime_data, ByteView report_data);

}  // namespace coffer::evidence::az_vtpm

// NVIDIA BlueField DPUs: read and named, never accepted. NVIDIA's root for their DICE certificates is not at hand here,
// and upstream's two sides disagree on what is signed (trustee.md 7).
#pragma once

#include <memory>

#include "evidence/options.h"

namespace coffer::evidence::nvidia_dpu {

// verify() is malformed or not_supported.
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);

struct Device {
  std::string architecture{};  // "bluefield3"
  Bytes alias_cert{};          // DER
  Bytes device_id_cert{};      // DER
  Bytes report_data_signature{};
};
struct Evidence {
  std::uint64_t version = 0;
  std::vector<Device> devices{};  // 1 to 16
};
Result<Evidence> parse_evidence(const codec::json::Value& evidence);

}  // namespace coffer::evidence::nvidia_dpu

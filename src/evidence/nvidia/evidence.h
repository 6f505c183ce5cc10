// The evidence document: {"device_evidence_list": [{"arch", "uuid"?, "evidence", "certificate"}]} (trustee.md 7).
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/nvidia/chain.h"
#include "evidence/nvidia/report.h"

namespace coffer::evidence::nvidia {

inline constexpr std::size_t max_devices = 32;
inline constexpr std::size_t max_certificates = 10;

struct Device {
  Architecture architecture;  // as the document says
  std::string uuid;           // NVML's name of the device, which nothing vouches for; "unknown" where it is absent
  Report report;
  Bytes report_bytes;
  Bytes certificates{};  // PEM, not yet parsed: most were seen before; empty where the document has none
};

// Reports are hex (as older guests send them) or base64; certificates are PEM, in base64. EvidenceError::malformed,
// bad_report, bad_opaque_data.
Result<std::vector<Device>> parse_evidence(const codec::json::Value& evidence);
// At least one, at most 10. bad_certificate.
Result<std::vector<crypto::Certificate>> parse_certificates(ByteView pem);

codec::json::Value evidence_of(std::span<const codec::json::Value> devices);
codec::json::Value device_json(Architecture architecture, std::string_view uuid, ByteView report, std::string_view pem);

}  // namespace coffer::evidence::nvidia

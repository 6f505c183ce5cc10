// TDX evidence as it travels.
#pragma once

#include <optional>

#include "evidence/tee.h"

namespace coffer::evidence::tdx {

struct Evidence {
  Bytes quote;
  std::optional<Bytes> event_log;  // CCEL, with the attestation agent's entries behind it; nothing: null, "" or absent
};

// EvidenceError::malformed.
Result<Evidence> parse_evidence(const codec::json::Value& evidence);
codec::json::Value to_json(const Evidence& evidence);

}  // namespace coffer::evidence::tdx

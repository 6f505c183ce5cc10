// The additional-evidence string of a composite attestation: JSON text of an object from TEE name to evidence, or
// empty (trustee.md 1.5). It stays a string on the whole way, because the primary evidence binds its exact text.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "evidence/tee.h"

namespace coffer::evidence {

struct DeviceEvidence {
  TeeKind tee;
  codec::json::Value evidence;
};

// Asks each device for evidence over RuntimeData::device_digest(). No devices: the empty string.
Result<std::string> collect_additional_evidence(std::span<const Attester* const> devices, ByteView device_digest);

// The reverse. malformed where the text is neither empty nor such an object; unknown_tee for a name nobody knows.
Result<std::vector<DeviceEvidence>> parse_additional_evidence(std::string_view text);

}  // namespace coffer::evidence

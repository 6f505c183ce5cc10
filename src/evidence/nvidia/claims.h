// Claims of one device, in upstream's names of its local verifier.
#pragma once

#include "evidence/nvidia/evidence.h"

namespace coffer::evidence::nvidia {

// {"arch", "uuid", "ueid", "measurements": {"1": hex, ...}, "config": {...}}
codec::json::Object claims_of(const Device& device, const TrustedDevice& trusted);

// Every field, of which nothing was checked. bad_certificate.
Result<codec::json::Object> describe(const Device& device);

}  // namespace coffer::evidence::nvidia

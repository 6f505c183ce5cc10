// TrustZone devices with a PSA root of trust. Evidence: {"token": "<base64 of the token>"}. Upstream has no such
// verifier; the binding rule is ours: the nonce is the report data itself (32, 48 or 64 bytes, never padded). A PSA
// token vouches for no init-data, so that a guest that sends some is refused.
#pragma once

#include <memory>

#include "evidence/options.h"

namespace coffer::evidence::psa {

// Settings: "psa_verifier": {"trusted_keys": [...], "ta_store": FILE, "allow_non_rot_debug": false}. A key without
// "instance-id" is trusted for the instance whose id is its own hash, and for no other. Error: bad_config.
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);
Result<std::unique_ptr<Attester>> make_simulator(TeeKind kind, const AttesterOptions& options);

codec::json::Value evidence_of(ByteView token);

}  // namespace coffer::evidence::psa

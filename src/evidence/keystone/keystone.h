// RISC-V Keystone enclaves. Evidence: {"report": "<base64 of the report>"}; a simulator adds "x5chain", the certificate
// of its device key and its root in base64. Upstream has no such verifier; the binding rule is ours: the report's data
// are the report data itself, unpadded. A report vouches for no init-data, so that a guest that sends some is refused.
#pragma once

#include <memory>

#include "evidence/options.h"

namespace coffer::evidence::keystone {

// Settings: "keystone_verifier": {"trusted_keys": [hex of 32 bytes], "security_monitors": [hex of 64 bytes],
// "allow_test_key": false}. Error: bad_config.
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);
Result<std::unique_ptr<Attester>> make_simulator(TeeKind kind, const AttesterOptions& options);

}  // namespace coffer::evidence::keystone

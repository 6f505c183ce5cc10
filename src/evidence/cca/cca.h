// Arm CCA realms. Evidence: {"token": [integers]}, as upstream's attester makes it.
#pragma once

#include <memory>

#include "evidence/device/configfs_tsm.h"
#include "evidence/options.h"

namespace coffer::evidence::cca {

// Settings: "cca_verifier": {"trusted_keys": [...], "ta_store": FILE, "allow_unsecured": false}. Where that section is
// absent, the file that the environment's CCA_CONFIG_FILE names is read as upstream's Veraison verifier does:
// {"cca-verifier": {"type": "local", "ta-store": FILE, "rv-store": FILE}}. Error: bad_config.
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);
Result<std::unique_ptr<Attester>> make_attester(TeeKind kind, const AttesterOptions& options);
Result<std::unique_ptr<Attester>> make_simulator(TeeKind kind, const AttesterOptions& options);

std::unique_ptr<Attester> make_attester_over(device::ConfigfsTsm device);

// {"token": [integers]}.
codec::json::Value evidence_of(ByteView token);

}  // namespace coffer::evidence::cca

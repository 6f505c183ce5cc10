// NVIDIA GPUs of the generations Hopper and Blackwell, verified here: report, chain and binding. Evidence as upstream's
// guests send it, one or more devices; each becomes a submodule of its own.
#pragma once

#include <memory>

#include "evidence/options.h"

namespace coffer::evidence::nvidia {

// Settings: "nvidia_verifier": {"type": "Local", "revocation_checks": "none"|"required"}. Error: bad_config, also for
// upstream's type "Remote", which asks a service of NVIDIA's and is not in this build.
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);
Result<std::unique_ptr<Attester>> make_simulator(TeeKind kind, const AttesterOptions& options);

}  // namespace coffer::evidence::nvidia

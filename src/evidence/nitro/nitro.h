// AWS Nitro enclaves. Evidence: {"document": "<base64 of the attestation document>"}. No upstream verifier exists;
// the binding rule is ours (docs/tees/nitro.md):
//
// - Report data is the digest itself, unpadded, in `nonce` or in `user_data`. Our attester uses `nonce`. A `public_key`
//   binds nothing: it is a claim, for policies of enclaves that name their key so.
// - Init-data is SHA-384(48 zero bytes || digest) in PCR16, which the enclave extends once and locks.
#pragma once

#include <memory>

#include "evidence/nitro/nsm_device.h"
#include "evidence/options.h"

namespace coffer::evidence::nitro {

// Settings: "nitro_verifier": {"allow_debug": false, "max_age_seconds": 3600}. Error: bad_config.
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);
Result<std::unique_ptr<Attester>> make_attester(TeeKind kind, const AttesterOptions& options);
// Signs under <simulator_directory>/root.pem. The files are read at the first attestation.
Result<std::unique_ptr<Attester>> make_simulator(TeeKind kind, const AttesterOptions& options);

// For tests: over a device of their own.
std::unique_ptr<Attester> make_attester_over(std::unique_ptr<NsmDevice> device);

// The register that init-data is extended into, and what it then holds.
inline constexpr unsigned init_data_pcr = 16;
Bytes init_data_pcr_value(ByteView init_data_digest);

}  // namespace coffer::evidence::nitro

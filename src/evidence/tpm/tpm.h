// A bare TPM 2.0: quotes over PCRs, trusted by the attestation key. Specifications: TPM 2.0 Library 1.59, PC Client
// Platform Firmware Profile 1.06.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "evidence/options.h"
#include "evidence/tpm/device.h"

namespace coffer::evidence::tpm {

// Reads "tpm_verifier" of the configuration (trust.h) and the files that it names.
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);
// Over this machine's TPM (tss_device.h). Nothing is opened until the first use.
Result<std::unique_ptr<Attester>> make_attester(TeeKind kind, const AttesterOptions& options);
// Over a TPM in software whose attestation key is certified under <simulator_directory>/root.pem.
Result<std::unique_ptr<Attester>> make_simulator(TeeKind kind, const AttesterOptions& options);

// For simulators and tests: over a device and a log of their own.
using EventLogSource = std::function<Result<std::optional<Bytes>>()>;
std::unique_ptr<Attester> make_attester_over(std::shared_ptr<TpmDevice> device, EventLogSource event_log);

// The machine's measured-boot log with the attestation agent's entries behind it, for a quote over SHA-256 PCRs.
// Nothing where there is none, where the firmware logs SHA-1 alone, or where COFFER_TPM_EVENTLOG=off.
Result<std::optional<Bytes>> read_boot_log(const std::filesystem::path& root);

}  // namespace coffer::evidence::tpm

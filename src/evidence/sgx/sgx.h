// Intel SGX: {"quote": base64} (trustee.md 7).
#pragma once

#include <memory>

#include "evidence/options.h"
#include "evidence/tee.h"

namespace coffer::evidence::sgx {

// Why evidence is refused, beyond what dcap::DcapError says.
enum class SgxError {
  not_an_enclave,  // a quote of a TD
};
std::string_view code_name(SgxError code);

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);
Result<std::unique_ptr<Attester>> make_attester(TeeKind kind, const AttesterOptions& options);
Result<std::unique_ptr<Attester>> make_simulator(TeeKind kind, const AttesterOptions& options);

}  // namespace coffer::evidence::sgx

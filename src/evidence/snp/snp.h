// The SEV-SNP leaf. Specifications: AMD 56860 (firmware ABI, reports), 57230 (VCEK certificates, KDS), 56421 (GHCB).
#pragma once

#include <memory>

#include "evidence/options.h"
#include "evidence/snp/evidence.h"
#include "evidence/tee.h"

namespace coffer::evidence::snp {

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);
Result<std::unique_ptr<Attester>> make_attester(TeeKind kind, const AttesterOptions& options);
// Signs under the root in options.simulator_directory.
Result<std::unique_ptr<Attester>> make_simulator(TeeKind kind, const AttesterOptions& options);

struct ReportVerdict {
  Product product;
  SigningKey signing_key;
  std::optional<std::string> simulated_root{};
};

// What a report is judged by alone, without what it must be bound to: also for reports inside other evidence
// (az-snp-vtpm).
class ReportVerifier {
 public:
  // `kind`: for whose evidence; its simulator roots are taken.
  static Result<std::shared_ptr<const ReportVerifier>> create(TeeKind kind, const VerifierOptions& options);
  virtual ~ReportVerifier() = default;
  // Signature, chain, product line, TCB, chip, VMPL. A report without certificates has its VCEK fetched. All of
  // SnpError, EvidenceError::collateral_missing, simulated_refused, and what cannot_be_had() says.
  virtual Result<ReportVerdict> verify(const Report& report, std::span<const CertificateEntry> certificates,
                                       TimePoint now) const = 0;
};

// Upstream's claims with their types (trustee.md 7), without report_data and init_data.
codec::json::Object claims_of(const Report& report);

}  // namespace coffer::evidence::snp

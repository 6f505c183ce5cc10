// Hygon CSV guests: read and named, never accepted. Verifying takes SM2 signatures over Hygon's own certificates up to
// its root HRK, of which this build has neither. Evidence as upstream's attester makes it (trustee.md 7).
#pragma once

#include <memory>

#include "evidence/csv/report.h"
#include "evidence/options.h"

namespace coffer::evidence::csv {

// verify() is malformed or not_supported; inspect() shows the report's fields under upstream's names.
Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);

struct Evidence {
  Report report;
  Bytes serial_number{};   // at most 64 bytes, text filled up with zeros
  bool has_chain = false;  // HSK and CEK beside the PEK
  std::optional<Bytes> event_log{};
};
Result<Evidence> parse_evidence(const codec::json::Value& evidence);

}  // namespace coffer::evidence::csv

// Comparing two pieces of evidence field by field and, where both carry an event log, event by event.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/coffer/evidence_input.h"
#include "evidence/eventlog/diff.h"

namespace coffer::cli {

// Verifier::inspect() of a file.
Result<codec::json::Object> read_unverified(const EvidenceOptions& options, const std::string& file);

struct FieldDifference {
  std::string name;      // "report.measurement"
  std::string expected;  // as JSON; empty where it is absent
  std::string actual;
};

struct EvidenceDifference {
  std::optional<evidence::eventlog::Difference> event{};  // the first one
  std::vector<FieldDifference> fields{};                  // in the order of the expected evidence

  bool empty() const { return !event && fields.empty(); }
  std::string to_text() const;
  codec::json::Value to_json() const;
};

// Fields that are new in every piece of evidence (report data, nonces, signatures) are left out.
EvidenceDifference compare_evidence(const codec::json::Object& expected, const codec::json::Object& actual);

}  // namespace coffer::cli

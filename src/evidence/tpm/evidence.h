// TPM evidence as it travels: upstream's {"ak_public", "tpm_quote": {"signature", "message", "pcrs"}}, and two members
// that upstream ignores: "eventlog" (base64 of the machine's measured-boot log) and "ak_cert" (array of base64
// certificates in DER, the attestation key's own first).
#pragma once

#include <optional>
#include <vector>

#include "evidence/tee.h"

namespace coffer::evidence::tpm {

struct Evidence {
  Bytes ak_public;  // SubjectPublicKeyInfo
  Bytes message;    // TPMS_ATTEST
  Bytes signature;  // TPMT_SIGNATURE
  std::vector<Bytes> pcrs;
  std::optional<Bytes> event_log{};
  std::vector<Bytes> ak_certificates{};
};

// EvidenceError::malformed.
Result<Evidence> parse_evidence(const codec::json::Value& evidence);
codec::json::Value to_json(const Evidence& evidence);

}  // namespace coffer::evidence::tpm

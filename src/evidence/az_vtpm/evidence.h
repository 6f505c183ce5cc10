// Evidence of Azure's confidential machines as it travels, in all versions:
//
// - 0: {"quote": {...}, "report": [ints], "vcek": PEM} of SEV-SNP, {"tpm_quote", "hcl_report", "td_quote"} of TDX, with
//   arrays of integers throughout;
// - 1 and 2: {"version", "tpm_quote": {"signature", "message", "pcrs"} in hex, "hcl_report", and "vcek" (DER) or
//   "td_quote"} in URL-safe base64 with padding. Version 2 says that the report was made for the report data.
#pragma once

#include <vector>

#include "evidence/tee.h"

namespace coffer::evidence::az_vtpm {

struct Evidence {
  unsigned version = 2;
  Bytes signature{};  // of the quote: RSASSA with SHA-256, bare
  Bytes message{};    // TPMS_ATTEST
  std::vector<Bytes> pcrs{};
  Bytes hcl_report{};
  Bytes endorsement{};  // VCEK certificate in DER, or the TD quote
};

// kind: az_snp_vtpm or az_tdx_vtpm. EvidenceError::malformed, AzVtpmError::bad_vcek.
Result<Evidence> parse_evidence(TeeKind kind, const codec::json::Value& value);
// Version 1 or 2.
codec::json::Value to_json(TeeKind kind, const Evidence& evidence);

}  // namespace coffer::evidence::az_vtpm

// Why a TPM's evidence is refused.
#pragma once

#include <string_view>

namespace coffer::evidence::tpm {

enum class TpmError {
  bad_quote,              // the message is no TPMS_ATTEST, or not one that a TPM itself made
  not_a_quote,            // a TPMS_ATTEST of another type
  bad_signature_format,   // no TPMT_SIGNATURE
  unsupported_algorithm,  // a scheme or hash that we do not verify
  bad_ak,                 // ak_public is no public key that may sign
  bad_signature,          // the attestation key did not sign this message
  bad_pcr_selection,      // the quote does not cover the PCRs that the evidence lists
  pcr_digest_mismatch,    // the listed values are not those that were quoted
  untrusted_ak,           // neither among the trusted keys nor certified, where that is asked for
  bad_ak_certificate,     // the attestation key's certificate does not lead to a root at this time, or is another key's
  bad_event_log,          // the log does not parse or has no digests of the quoted bank
  event_log_mismatch,     // the log does not lead to a quoted PCR
};
std::string_view code_name(TpmError code);

}  // namespace coffer::evidence::tpm

// Why a Nitro attestation document is refused. Report data, init-data and simulated roots have EvidenceError's codes.
#pragma once

#include "base/result.h"

namespace coffer::evidence::nitro {

enum class NitroError {
  not_a_document,       // no COSE_Sign1 of at most 12 KiB
  bad_header,           // another algorithm than ES384 in the protected header, or anything in the unprotected one
  bad_payload,          // a field of another type or size than the document's grammar allows
  bad_pcrs,             // PCR values of another size than SHA-384's, an index over 31, or no PCR0
  bad_certificate,      // a certificate in the document that does not parse
  unknown_root,         // the bundle does not begin with the pinned root
  untrusted,            // the chain breaks between leaf and root
  certificate_expired,  // a certificate of the chain does not hold at the time of verification
  bad_key_usage,        // a certificate that may not sign certificates, or a leaf that may not sign documents
  bad_signature,        // the document is not signed by its leaf certificate
  stale,                // made longer ago than nitro_verifier.max_age_seconds
  from_the_future,      // made more than five minutes after the time of verification
  debug_mode,           // PCR0 is all zero and nitro_verifier.allow_debug is not set
};
std::string_view code_name(NitroError code);

}  // namespace coffer::evidence::nitro

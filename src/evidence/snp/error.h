// What a SEV-SNP report is refused for. Bindings have codes that all TEEs share (evidence/tee.h).
#pragma once

#include "base/result.h"

namespace coffer::evidence::snp {

enum class SnpError {
  bad_report,             // not 1184 bytes, or fields that its version does not have
  unsupported_version,    // versions 2 to 5 are read
  reserved_not_zero,      // a reserved field says something that nobody defined
  unsupported_product,    // a processor whose root is not known here
  unsupported_algorithm,  // a signature algorithm other than ECDSA P-384 with SHA-384
  unsigned_report,        // the firmware was told not to sign
  no_endorsement_key,     // certificates came, and neither a VCEK nor a VLEK among them
  bad_certificate,        // a certificate or revocation list that does not parse, or a VCEK or VLEK without its fields
  untrusted_chain,        // a chain that does not end in AMD's root of the product line
  not_valid_at_time,      // an expired or not yet valid certificate or revocation list
  revoked,
  wrong_signing_key,  // the report names another kind of key than came
  wrong_product,      // a certificate of another product line than the report's
  wrong_tcb,          // the certificate is for another TCB than the report states
  wrong_chip,         // the certificate is for another chip
  bad_signature,
  wrong_vmpl,  // asked for by software below the most privileged level
};
std::string_view code_name(SnpError code);

}  // namespace coffer::evidence::snp

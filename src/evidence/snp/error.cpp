#include "evidence/snp/error.h"

namespace coffer::evidence::snp {

std::string_view code_name(SnpError code) {
  switch (code) {
    case SnpError::bad_report: return "snp.bad_report";
    case SnpError::unsupported_version: return "snp.unsupported_version";
    case SnpError::reserved_not_zero: return "snp.reserved_not_zero";
    case SnpError::unsupported_product: return "snp.unsupported_product";
    case SnpError::unsupported_algorithm: return "snp.unsupported_algorithm";
    case SnpError::unsigned_report: return "snp.unsigned_report";
    case SnpError::no_endorsement_key: return "snp.no_endorsement_key";
    case SnpError::bad_certificate: return "snp.bad_certificate";
    case SnpError::untrusted_chain: return "snp.untrusted_chain";
    case SnpError::not_valid_at_time: return "snp.not_valid_at_time";
    case SnpError::revoked: return "snp.revoked";
    case SnpError::wrong_signing_key: return "snp.wrong_signing_key";
    case SnpError::wrong_product: return "snp.wrong_product";
    case SnpError::wrong_tcb: return "snp.wrong_tcb";
    case SnpError::wrong_chip: return "snp.wrong_chip";
    case SnpError::bad_signature: return "snp.bad_signature";
    case SnpError::wrong_vmpl: return "snp.wrong_vmpl";
  }
  return "snp.unknown";
}

}  // namespace coffer::evidence::snp

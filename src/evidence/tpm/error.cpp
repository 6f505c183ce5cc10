#include "evidence/tpm/error.h"

namespace coffer::evidence::tpm {

std::string_view code_name(TpmError code) {
  switch (code) {
    case TpmError::bad_quote: return "tpm.bad_quote";
    case TpmError::not_a_quote: return "tpm.not_a_quote";
    case TpmError::bad_signature_format: return "tpm.bad_signature_format";
    case TpmError::unsupported_algorithm: return "tpm.unsupported_algorithm";
    case TpmError::bad_ak: return "tpm.bad_ak";
    case TpmError::bad_signature: return "tpm.bad_signature";
    case TpmError::bad_pcr_selection: return "tpm.bad_pcr_selection";
    case TpmError::pcr_digest_mismatch: return "tpm.pcr_digest_mismatch";
    case TpmError::untrusted_ak: return "tpm.untrusted_ak";
    case TpmError::bad_ak_certificate: return "tpm.bad_ak_certificate";
    case TpmError::bad_event_log: return "tpm.bad_event_log";
    case TpmError::event_log_mismatch: return "tpm.event_log_mismatch";
  }
  return "tpm.unknown";
}

}  // namespace coffer::evidence::tpm

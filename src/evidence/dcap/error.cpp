#include "evidence/dcap/error.h"

namespace coffer::evidence::dcap {

std::string_view code_name(DcapError code) {
  switch (code) {
    case DcapError::malformed_quote: return "dcap.malformed_quote";
    case DcapError::unsupported_quote: return "dcap.unsupported_quote";
    case DcapError::unsupported_certification: return "dcap.unsupported_certification";
    case DcapError::foreign_quoting_enclave: return "dcap.foreign_quoting_enclave";
    case DcapError::untrusted_root: return "dcap.untrusted_root";
    case DcapError::mixed_roots: return "dcap.mixed_roots";
    case DcapError::bad_pck_chain: return "dcap.bad_pck_chain";
    case DcapError::bad_pck_extension: return "dcap.bad_pck_extension";
    case DcapError::bad_qe_signature: return "dcap.bad_qe_signature";
    case DcapError::qe_key_mismatch: return "dcap.qe_key_mismatch";
    case DcapError::bad_quote_signature: return "dcap.bad_quote_signature";
    case DcapError::bad_tcb_info: return "dcap.bad_tcb_info";
    case DcapError::bad_tcb_info_signature: return "dcap.bad_tcb_info_signature";
    case DcapError::tcb_info_mismatch: return "dcap.tcb_info_mismatch";
    case DcapError::bad_qe_identity: return "dcap.bad_qe_identity";
    case DcapError::bad_qe_identity_signature: return "dcap.bad_qe_identity_signature";
    case DcapError::qe_identity_mismatch: return "dcap.qe_identity_mismatch";
    case DcapError::bad_collateral_chain: return "dcap.bad_collateral_chain";
    case DcapError::bad_crl: return "dcap.bad_crl";
    case DcapError::pck_revoked: return "dcap.pck_revoked";
    case DcapError::ca_revoked: return "dcap.ca_revoked";
    case DcapError::tcb_unsupported: return "dcap.tcb_unsupported";
    case DcapError::tcb_revoked: return "dcap.tcb_revoked";
    case DcapError::tdx_module_mismatch: return "dcap.tdx_module_mismatch";
    case DcapError::collateral_expired: return "dcap.collateral_expired";
    case DcapError::collateral_not_yet_valid: return "dcap.collateral_not_yet_valid";
    case DcapError::bad_config: return "dcap.bad_config";
  }
  return "dcap.unknown";
}

}  // namespace coffer::evidence::dcap

// Why an Intel quote or its collateral is refused. Errors of reading evidence, of bindings and of collateral that
// cannot be had are EvidenceError's.
#pragma once

#include <string_view>

namespace coffer::evidence::dcap {

enum class DcapError {
  malformed_quote,            // a length or field that contradicts the layout
  unsupported_quote,          // a version, TEE, body or key type that this verifier does not know
  unsupported_certification,  // certification data other than a PCK chain
  foreign_quoting_enclave,    // the quoting enclave's vendor is not Intel
  untrusted_root,             // a chain that ends in a root which is neither Intel's nor a chosen simulator's
  mixed_roots,                // quote and collateral chain to different roots
  bad_pck_chain,              // leaf, CA, root: one that does not follow from the next, or is for another purpose
  bad_pck_extension,          // the SGX extensions of the PCK certificate
  bad_qe_signature,           // the quoting enclave's report is not signed by the PCK
  qe_key_mismatch,            // that report binds another attestation key or authentication data
  bad_quote_signature,        // the quote is not signed by the attestation key
  bad_tcb_info,               // no TCB info of the form of PCS version 4
  bad_tcb_info_signature,
  tcb_info_mismatch,  // TCB info of another platform or TEE
  bad_qe_identity,    // no enclave identity of that form
  bad_qe_identity_signature,
  qe_identity_mismatch,      // the quoting enclave is not the one that Intel describes
  bad_collateral_chain,      // the issuer chain of TCB info or enclave identity
  bad_crl,                   // a revocation list that does not parse or is not of the CA in question
  pck_revoked,               // the PCK is on its CA's list
  ca_revoked,                // the PCK's CA or the TCB signer is on the root's list
  tcb_unsupported,           // older than any TCB level
  tcb_revoked,               // a level, module or quoting enclave with status Revoked
  tdx_module_mismatch,       // the TDX module is not one that Intel describes
  collateral_expired,        // and the configuration refuses it (reject_expired_collateral)
  collateral_not_yet_valid,  // issued after the time of verification
  bad_config,                // dcap_verifier, or the file that its collateral_service names
};
std::string_view code_name(DcapError code);

}  // namespace coffer::evidence::dcap

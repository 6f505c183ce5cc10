// Where a platform stands: the TCB level that its PCK, quote, quoting enclave and TDX module reach (PCS API version 4,
// "Get SGX/TDX TCB Info": the algorithm in the description of tcbLevels).
#pragma once

#include "evidence/dcap/pck.h"
#include "evidence/dcap/tcb_info.h"

namespace coffer::evidence::dcap {

struct TcbVerdict {
  TcbStatus status;
  TimePoint date;                       // of the platform's level
  std::vector<std::string> advisories;  // of the level, then of the TDX module's and the quoting enclave's
};

// FMSPC, PCEID and TEE of the TCB info are those of certificate and quote: tcb_info_mismatch.
Result<> check_tcb_info(const TcbInfo& info, const PckExtensions& pck, const Quote& quote);

// The level of the quoting enclave, after MRSIGNER, ISVPRODID, MISCSELECT and ATTRIBUTES were found as Intel describes
// them. qe_identity_mismatch, tcb_unsupported.
Result<const SvnLevel*> match_quoting_enclave(const EnclaveIdentity& identity, const SgxReport& qe_report);

// Revoked is an answer here too; refusing it is the caller's. tcb_unsupported, tdx_module_mismatch.
Result<TcbVerdict> judge_tcb(const TcbInfo& info, const PckExtensions& pck, const Quote& quote, const SvnLevel& qe);

}  // namespace coffer::evidence::dcap

// Verification of Intel quotes against Intel's collateral, shared by TDX, SGX and TDX behind Azure's vTPM. One engine
// serves all threads; chains, quoting enclaves and collateral that it has verified are kept by their exact bytes, their
// times are judged anew for each quote.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "evidence/dcap/collateral.h"
#include "evidence/dcap/quote.h"
#include "evidence/dcap/tcb_level.h"
#include "evidence/dcap/trust.h"
#include "evidence/options.h"

namespace coffer::evidence::dcap {

struct Appraisal {
  TcbVerdict tcb;
  Dates dates;   // of chains, lists, TCB info and enclave identity together
  bool expired;  // at the time of verification, any of them
  PckExtensions pck;
  Bytes pck_crl_number;
  Bytes root_crl_number;
  std::uint32_t evaluation_number;  // the lower of TCB info's and enclave identity's
  Bytes root_key_id;                // SHA-384 of the root's public key as uncompressed point
  std::optional<std::string> simulated_root;
};

class Engine {
 public:
  // `kind` chooses the simulator's roots. Reads verifier_config's dcap_verifier: {"collateral_service": URL,
  // "file:///..." of a file for collateral_from_file; "tcb_update_type": "early" or "standard";
  // "reject_expired_collateral": bool, which is ours}. bad_config.
  static Result<std::shared_ptr<const Engine>> create(TeeKind kind, const VerifierOptions& options);
  virtual ~Engine() = default;

  // Signatures first, then collateral. DcapError; cannot_be_had() where an item cannot be.
  virtual Result<Appraisal> appraise(const Quote& quote, TimePoint now) const = 0;
};

// Upstream's claims (trustee.md 7): tcb_status, tcb_date, advisory_ids, collateral_expiration_status,
// earliest_issue_date,
// ..., platform_instance_id.
codec::json::Object appraisal_claims(const Appraisal& appraisal);

}  // namespace coffer::evidence::dcap

// Intel TDX: {"quote": base64, "cc_eventlog": base64 or null} (trustee.md 7).
#pragma once

#include <memory>

#include "evidence/dcap/engine.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/options.h"
#include "evidence/tee.h"

namespace coffer::evidence::tdx {

// Why evidence is refused, beyond what dcap::DcapError and eventlog::EventLogError say.
enum class TdxError {
  not_a_td,  // a quote of an SGX enclave
};
std::string_view code_name(TdxError code);

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options);
Result<std::unique_ptr<Attester>> make_attester(TeeKind kind, const AttesterOptions& options);
Result<std::unique_ptr<Attester>> make_simulator(TeeKind kind, const AttesterOptions& options);

// Claims of a TD quote that was verified: "quote", "td_attributes", and those of the appraisal. Shared with
// az-tdx-vtpm.
codec::json::Object td_claims(const dcap::Quote& quote, const dcap::Appraisal& appraisal);
// {"debug","key_locker","perfmon","protection_keys","septve_disable"}.
codec::json::Object td_attributes_claims(ByteView td_attributes);
// For inspection and recorded evidence whose collateral is gone: what td_claims says of the quote alone.
codec::json::Object quote_only_claims(const dcap::Quote& quote);

// That the log leads to RTMR0 to RTMR3: eventlog::EventLogError, which names the first that it does not explain.
Result<> check_event_log(const eventlog::EventLog& log, const dcap::TdReport& report);

}  // namespace coffer::evidence::tdx

// TCB statuses, and how those of platform, TDX module and quoting enclave become one (Intel's appraisal of quotes; PCS
// API version 4, "TCB status").
#pragma once

#include <optional>
#include <string_view>

namespace coffer::evidence::dcap {

enum class TcbStatus {
  up_to_date,
  sw_hardening_needed,
  configuration_needed,
  configuration_and_sw_hardening_needed,
  out_of_date,
  out_of_date_configuration_needed,
  td_relaunch_advised,  // the module was updated under the running TD: only its launch measurement is old
  td_relaunch_advised_configuration_needed,
  revoked,
};
// "UpToDate", "SWHardeningNeeded", ... as in TCB info and in claims.
std::string_view name_of(TcbStatus status);
// Those that collateral may state: all but the two that advise a relaunch.
std::optional<TcbStatus> parse_tcb_status(std::string_view name);

bool needs_configuration(TcbStatus status);
bool is_out_of_date(TcbStatus status);  // with or without configuration needed

// The platform's status in view of a part of it (TDX module or quoting enclave): a part out of date makes the whole out
// of date, a revoked one revokes it.
TcbStatus converge(TcbStatus platform, TcbStatus part);

}  // namespace coffer::evidence::dcap

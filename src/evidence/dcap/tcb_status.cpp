#include "evidence/dcap/tcb_status.h"

#include <algorithm>
#include <array>
#include <utility>

namespace coffer::evidence::dcap {

namespace {

constexpr std::array<std::pair<TcbStatus, std::string_view>, 9> names{{
    {TcbStatus::up_to_date, "UpToDate"},
    {TcbStatus::sw_hardening_needed, "SWHardeningNeeded"},
    {TcbStatus::configuration_needed, "ConfigurationNeeded"},
    {TcbStatus::configuration_and_sw_hardening_needed, "ConfigurationAndSWHardeningNeeded"},
    {TcbStatus::out_of_date, "OutOfDate"},
    {TcbStatus::out_of_date_configuration_needed, "OutOfDateConfigurationNeeded"},
    {TcbStatus::td_relaunch_advised, "TDRelaunchAdvised"},
    {TcbStatus::td_relaunch_advised_configuration_needed, "TDRelaunchAdvisedConfigurationNeeded"},
    {TcbStatus::revoked, "Revoked"},
}};

bool advises_relaunch(TcbStatus status) {
  return status == TcbStatus::td_relaunch_advised || status == TcbStatus::td_relaunch_advised_configuration_needed;
}

}  // namespace

std::string_view name_of(TcbStatus status) {
  return std::ranges::find(names, status, &std::pair<TcbStatus, std::string_view>::first)->second;
}

std::optional<TcbStatus> parse_tcb_status(std::string_view name) {
  const auto* found = std::ranges::find(names, name, &std::pair<TcbStatus, std::string_view>::second);
  if (found == names.end() || advises_relaunch(found->first)) return std::nullopt;
  return found->first;
}

bool needs_configuration(TcbStatus status) {
  switch (status) {
    case TcbStatus::configuration_needed:
    case TcbStatus::configuration_and_sw_hardening_needed:
    case TcbStatus::out_of_date_configuration_needed:
    case TcbStatus::td_relaunch_advised_configuration_needed: return true;
    default: return false;
  }
}

bool is_out_of_date(TcbStatus status) {
  return status == TcbStatus::out_of_date || status == TcbStatus::out_of_date_configuration_needed;
}

TcbStatus converge(TcbStatus platform, TcbStatus part) {
  if (platform == TcbStatus::revoked || part == TcbStatus::revoked) return TcbStatus::revoked;
  if (part == TcbStatus::up_to_date) return platform;
  // Every other status of a part counts as out of date: parts have no configuration of their own.
  return needs_configuration(platform) ? TcbStatus::out_of_date_configuration_needed : TcbStatus::out_of_date;
}

}  // namespace coffer::evidence::dcap

#include <algorithm>

#include "codec/base64.h"
#include "evidence/dcap/engine.h"

namespace coffer::evidence::dcap {

namespace json = codec::json;

namespace {

template <std::size_t N>
std::string hex(const std::array<std::uint8_t, N>& bytes) {
  return codec::hex_encode(std::as_bytes(std::span{bytes}));
}

// A CRL number as upstream's claims have it, a number; one over 64 bits would be none of Intel's.
std::uint64_t number(const Bytes& magnitude) {
  std::uint64_t out = 0;
  for (const auto octet : magnitude) out = out << 8 | std::to_integer<std::uint64_t>(octet);
  return out;
}

std::string sgx_type_name(std::uint64_t type) {
  switch (type) {
    case 0: return "Standard";
    case 1: return "Scalable";
    case 2: return "Scalable with Integrity";
    default: return "Unknown (" + std::to_string(type) + ")";
  }
}

void add_platform(json::Object& out, const PckExtensions& pck) {
  out.append("platform_provider_id", hex(pck.ppid));
  out.append("sgx_type", sgx_type_name(pck.sgx_type));
  const auto platform = pck.platform.value_or(PckExtensions::Platform{});
  if (pck.sgx_type > 0) {
    out.append("is_dynamic_platform", platform.dynamic_platform.value_or(false));
    out.append("is_cached_keys", platform.cached_keys.value_or(false));
    out.append("is_smt_enabled", platform.smt_enabled.value_or(false));
  }
  if (!pck.platform) return;
  // The certificate has it little-endian, upstream's claim big-endian.
  auto instance = platform.instance_id;
  std::ranges::reverse(instance);
  out.append("platform_instance_id", hex(instance));
}

}  // namespace

json::Object appraisal_claims(const Appraisal& appraisal) {
  json::Array advisories;
  for (const auto& advisory : appraisal.tcb.advisories) advisories.emplace_back(advisory);
  json::Object out{{"tcb_status", name_of(appraisal.tcb.status)},
                   {"tcb_date", format_rfc3339(appraisal.tcb.date)},
                   {"advisory_ids", std::move(advisories)},
                   {"collateral_expiration_status", appraisal.expired ? "1" : "0"},
                   {"earliest_issue_date", format_rfc3339(appraisal.dates.earliest_issue)},
                   {"latest_issue_date", format_rfc3339(appraisal.dates.latest_issue)},
                   {"earliest_expiration_date", format_rfc3339(appraisal.dates.earliest_expiration)},
                   {"tcb_eval_num", appraisal.evaluation_number},
                   {"pck_crl_num", number(appraisal.pck_crl_number)},
                   {"root_ca_crl_num", number(appraisal.root_crl_number)},
                   {"root_key_id", codec::hex_encode(appraisal.root_key_id)}};
  add_platform(out, appraisal.pck);
  return out;
}

}  // namespace coffer::evidence::dcap

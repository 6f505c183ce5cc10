#include "codec/base64.h"
#include "evidence/dcap/detail/little_endian.h"
#include "evidence/tdx/tdx.h"

namespace coffer::evidence::tdx {

namespace json = codec::json;

json::Object td_attributes_claims(ByteView td_attributes) {
  const auto bits = dcap::detail::integer(td_attributes);
  const auto bit = [bits](unsigned index) { return ((bits >> index) & 1U) != 0; };
  // Intel TDX module ABI, ATTRIBUTES.
  return {{"debug", bit(0)},
          {"key_locker", bit(31)},
          {"perfmon", bit(63)},
          {"protection_keys", bit(30)},
          {"septve_disable", bit(28)}};
}

json::Object quote_only_claims(const dcap::Quote& quote) {
  json::Object out{{"quote", dcap::quote_claims(quote)}};
  if (const auto* report = quote.td()) out.append("td_attributes", td_attributes_claims(report->td_attributes));
  return out;
}

json::Object td_claims(const dcap::Quote& quote, const dcap::Appraisal& appraisal) {
  auto out = quote_only_claims(quote);
  for (auto& [name, value] : dcap::appraisal_claims(appraisal)) out.append(name, std::move(value));
  return out;
}

}  // namespace coffer::evidence::tdx

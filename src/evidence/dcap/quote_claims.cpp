#include "codec/base64.h"
#include "evidence/dcap/detail/report_fields.h"
#include "evidence/dcap/quote.h"

namespace coffer::evidence::dcap {

namespace json = codec::json;

namespace {

template <class T>
void add(json::Object& out, const T& from, std::span<const detail::Field<T>> fields) {
  for (const auto& field : fields) out.append(std::string{field.name}, codec::hex_encode(from.*field.member));
}

// Upstream shows an enclave's header by the names of version 3.
json::Object sgx_header(const QuoteHeader& header) {
  return {{"version", codec::hex_encode(header.version)},
          {"att_key_type", codec::hex_encode(header.attestation_key_type)},
          {"att_key_data_0", codec::hex_encode(header.tee_type)},
          {"qe_svn", codec::hex_encode(header.reserved.first(2))},
          {"pce_svn", codec::hex_encode(header.reserved.last(2))},
          {"vendor_id", codec::hex_encode(header.vendor_id)},
          {"user_data", codec::hex_encode(header.user_data)}};
}

json::Object sgx_body(const SgxReport& report) {
  json::Object out;
  add(out, report, detail::sgx_fields());
  return out;
}

json::Object td_body(const TdReport& report) {
  json::Object out;
  add(out, report, detail::td_fields_before_rtmr());
  for (std::size_t i = 0; i < report.rtmr.size(); ++i) {
    out.append("rtmr_" + std::to_string(i), codec::hex_encode(report.rtmr[i]));
  }
  out.append("report_data", codec::hex_encode(report.report_data));
  if (report.tdx15) add(out, *report.tdx15, detail::tdx15_fields());
  return out;
}

}  // namespace

json::Object quote_claims(const Quote& quote) {
  if (const auto* report = quote.sgx()) return {{"header", sgx_header(quote.header)}, {"body", sgx_body(*report)}};
  json::Object header;
  add(header, quote.header, detail::header_fields());
  json::Object out{{"header", std::move(header)}, {"body", td_body(*quote.td())}};
  if (quote.descriptor) {
    out.append("type", codec::hex_encode(quote.descriptor->type));
    out.append("size", codec::hex_encode(quote.descriptor->size));
  }
  return out;
}

json::Object describe(const Quote& quote) {
  auto out = quote_claims(quote);
  out.append("signature", codec::hex_encode(quote.signature));
  out.append("attestation_key", codec::hex_encode(quote.attestation_key));
  out.append("qe_report", sgx_body(quote.qe_report));
  out.append("qe_report_signature", codec::hex_encode(quote.qe_report_signature));
  out.append("qe_authentication_data", codec::hex_encode(quote.qe_authentication_data));
  // PEM may end in a zero byte, as C strings do.
  auto chain = to_text(quote.pck_chain);
  while (!chain.empty() && chain.back() == '\0') chain.pop_back();
  out.append("pck_chain", std::move(chain));
  return out;
}

}  // namespace coffer::evidence::dcap

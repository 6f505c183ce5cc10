#include "evidence/dcap/detail/report_fields.h"

#include <array>

namespace coffer::evidence::dcap::detail {

std::span<const Field<QuoteHeader>> header_fields() {
  static constexpr std::array fields{
      Field<QuoteHeader>{"version", 2, &QuoteHeader::version},
      Field<QuoteHeader>{"att_key_type", 2, &QuoteHeader::attestation_key_type},
      Field<QuoteHeader>{"tee_type", 4, &QuoteHeader::tee_type},
      Field<QuoteHeader>{"reserved", 4, &QuoteHeader::reserved},
      Field<QuoteHeader>{"vendor_id", 16, &QuoteHeader::vendor_id},
      Field<QuoteHeader>{"user_data", 20, &QuoteHeader::user_data},
  };
  return fields;
}

std::span<const Field<SgxReport>> sgx_fields() {
  static constexpr std::array fields{
      Field<SgxReport>{"cpu_svn", 16, &SgxReport::cpu_svn},
      Field<SgxReport>{"misc_select", 4, &SgxReport::misc_select},
      Field<SgxReport>{"reserved1", 12, &SgxReport::reserved1},
      Field<SgxReport>{"isv_ext_prod_id", 16, &SgxReport::isv_ext_prod_id},
      Field<SgxReport>{"attributes.flags", 8, &SgxReport::attributes_flags},
      Field<SgxReport>{"attributes.xfrm", 8, &SgxReport::attributes_xfrm},
      Field<SgxReport>{"mr_enclave", 32, &SgxReport::mr_enclave},
      Field<SgxReport>{"reserved2", 32, &SgxReport::reserved2},
      Field<SgxReport>{"mr_signer", 32, &SgxReport::mr_signer},
      Field<SgxReport>{"reserved3", 32, &SgxReport::reserved3},
      Field<SgxReport>{"config_id", 64, &SgxReport::config_id},
      Field<SgxReport>{"isv_prod_id", 2, &SgxReport::isv_prod_id},
      Field<SgxReport>{"isv_svn", 2, &SgxReport::isv_svn},
      Field<SgxReport>{"config_svn", 2, &SgxReport::config_svn},
      Field<SgxReport>{"reserved4", 42, &SgxReport::reserved4},
      Field<SgxReport>{"isv_family_id", 16, &SgxReport::isv_family_id},
      Field<SgxReport>{"report_data", 64, &SgxReport::report_data},
  };
  return fields;
}

std::span<const Field<TdReport>> td_fields_before_rtmr() {
  static constexpr std::array fields{
      Field<TdReport>{"tcb_svn", 16, &TdReport::tee_tcb_svn},
      Field<TdReport>{"mr_seam", 48, &TdReport::mr_seam},
      Field<TdReport>{"mrsigner_seam", 48, &TdReport::mr_signer_seam},
      Field<TdReport>{"seam_attributes", 8, &TdReport::seam_attributes},
      Field<TdReport>{"td_attributes", 8, &TdReport::td_attributes},
      Field<TdReport>{"xfam", 8, &TdReport::xfam},
      Field<TdReport>{"mr_td", 48, &TdReport::mr_td},
      Field<TdReport>{"mr_config_id", 48, &TdReport::mr_config_id},
      Field<TdReport>{"mr_owner", 48, &TdReport::mr_owner},
      Field<TdReport>{"mr_owner_config", 48, &TdReport::mr_owner_config},
  };
  return fields;
}

std::span<const Field<TdReport::Tdx15>> tdx15_fields() {
  static constexpr std::array fields{
      Field<TdReport::Tdx15>{"tee_tcb_svn2", 16, &TdReport::Tdx15::tee_tcb_svn2},
      Field<TdReport::Tdx15>{"mr_servicetd", 48, &TdReport::Tdx15::mr_service_td},
  };
  return fields;
}

Result<SgxReport> read_sgx_report(ByteReader& reader) {
  return read_fields(reader, sgx_fields());
}

Result<TdReport> read_td_report(ByteReader& reader, bool tdx15) {
  auto out = TRY(read_fields(reader, td_fields_before_rtmr()));
  for (auto& rtmr : out.rtmr) rtmr = TRY(reader.bytes(register_size, "rtmr"));
  out.report_data = TRY(reader.bytes(report_data_size, "report_data"));
  if (tdx15) out.tdx15 = TRY(read_fields(reader, tdx15_fields()));
  return out;
}

}  // namespace coffer::evidence::dcap::detail

#include "evidence/snp/sev_guest.h"
#include "evidence/snp/snp.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  namespace snp = evidence::snp;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  (void)snp::parse_certificate_table(bytes);
  const auto value = codec::json::parse(as_text(bytes));
  if (!value) return 0;
  static const auto verifier = snp::make_verifier(evidence::TeeKind::snp, {}).value();
  (void)verifier->inspect(*value);
  (void)verifier->verify(*value, {}, from_unix_seconds(1'704'067'200));
  const auto evidence = snp::Evidence::from_json(*value);
  if (!evidence) return 0;
  const auto again = snp::Evidence::from_json(evidence->to_json());
  if (!again || !(again->report == evidence->report) || !snp::Report::parse(evidence->report.encode()))
    __builtin_trap();
  return 0;
}

#include <cstdlib>

#include "evidence/az_vtpm/az_vtpm.h"
#include "evidence/az_vtpm/hcl_report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  if (const auto report = az_vtpm::HclReport::parse(bytes)) {
    (void)az_vtpm::RuntimeClaims::parse(report->runtime_data);
    if (!az_vtpm::HclReport::parse(report->encode(size))) std::abort();
  }
  const auto value = codec::json::parse(as_text(bytes));
  if (!value) return 0;
  for (const auto kind : {TeeKind::az_snp_vtpm, TeeKind::az_tdx_vtpm}) {
    static const auto snp = *az_vtpm::make_verifier(TeeKind::az_snp_vtpm, {});
    static const auto tdx = *az_vtpm::make_verifier(TeeKind::az_tdx_vtpm, {});
    const auto& verifier = kind == TeeKind::az_snp_vtpm ? snp : tdx;
    (void)verifier->inspect(*value);
    // Nobody signs what a fuzzer makes.
    if (verifier->verify(*value, {Bytes(48)}, from_unix_seconds(0))) std::abort();
  }
  return 0;
}

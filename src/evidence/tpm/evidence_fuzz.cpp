#include "codec/json.h"
#include "evidence/tpm/boot_log.h"
#include "evidence/tpm/tpm.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  tpm::PcrValues pcrs;
  for (unsigned pcr = 0; pcr < tpm::pcr_count; ++pcr) pcrs[pcr] = Bytes(32);
  (void)tpm::check_boot_log(bytes, pcrs);
  const auto value = codec::json::parse(as_text(bytes));
  if (!value) return 0;
  static const auto verifier = *tpm::make_verifier(TeeKind::tpm, {});
  (void)verifier->inspect(*value);
  // Nobody signs what a fuzzer makes.
  if (verifier->verify(*value, {Bytes(48)}, from_unix_seconds(0))) __builtin_trap();
  return 0;
}

#include "evidence/keystone/keystone.h"
#include "evidence/keystone/report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  // A report has one size; shorter inputs stand for one whose rest is zero.
  Bytes whole(keystone::report_size);
  std::copy_n(bytes.begin(), std::min(bytes.size(), whole.size()), whole.begin());
  for (const ByteView each : {bytes, ByteView{whole}}) {
    const auto report = keystone::parse_report(each);
    if (!report) continue;
    (void)keystone::claims_of(*report);
    const auto again = keystone::parse_report(keystone::encode_report(*report));
    if (!again || again->data != report->data || again->device_key != report->device_key) __builtin_trap();
  }
  static const auto verifier = *keystone::make_verifier(TeeKind::keystone, {});
  if (const auto value = codec::json::parse(as_text(bytes))) {
    if (verifier->verify(*value, {}, from_unix_seconds(0))) __builtin_trap();
  }
  return 0;
}

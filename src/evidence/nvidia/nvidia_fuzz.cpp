#include "codec/json.h"
#include "evidence/nvidia/claims.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  if (const auto report = nvidia::parse_report(bytes)) {
    // What parsed is encoded and parsed to the same again.
    const auto again = nvidia::parse_report(concat({nvidia::encode_unsigned(*report), report->signature}));
    if (!again || again->nonce != report->nonce || again->measurements.size() != report->measurements.size() ||
        again->opaque_data.encode() != report->opaque_data.encode()) {
      __builtin_trap();
    }
    (void)report->opaque_data.to_json();
  }
  (void)nvidia::OpaqueData::parse(bytes);
  (void)nvidia::parse_composite_device_id(bytes);
  (void)nvidia::parse_tcb_info(bytes);
  if (const auto value = codec::json::parse(as_text(bytes))) {
    if (const auto devices = nvidia::parse_evidence(*value)) (void)nvidia::describe(devices->front());
  }
  return 0;
}

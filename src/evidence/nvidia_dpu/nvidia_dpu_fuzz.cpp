#include "evidence/nvidia_dpu/nvidia_dpu.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const auto value = codec::json::parse(as_text({reinterpret_cast<const std::byte*>(data), size}));
  if (!value) return 0;
  static const auto verifier = *nvidia_dpu::make_verifier(TeeKind::nvidia_dpu, {});
  (void)verifier->inspect(*value);
  if (verifier->verify(*value, {}, from_unix_seconds(0))) __builtin_trap();
  return 0;
}

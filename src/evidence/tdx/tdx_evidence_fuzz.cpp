#include "codec/json.h"
#include "evidence/tdx/tdx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const auto evidence = codec::json::parse(as_text({reinterpret_cast<const std::byte*>(data), size}));
  if (!evidence) return 0;
  static const auto verifier = tdx::make_verifier(TeeKind::tdx, {}).value();
  (void)verifier->inspect(*evidence);
  // Without collateral nothing is ever accepted.
  if (verifier->verify(*evidence, {}, from_unix_seconds(0))) __builtin_trap();
  return 0;
}

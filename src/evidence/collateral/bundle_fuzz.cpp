#include "evidence/collateral/bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  const auto records = evidence::read_bundle(as_text({reinterpret_cast<const std::byte*>(data), size}));
  if (!records) return 0;
  const auto again = evidence::write_bundle(*records);
  if (!again || !evidence::read_bundle(*again)) __builtin_trap();
  return 0;
}

#include "evidence/measure/ovmf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const coffer::ByteView image{reinterpret_cast<const std::byte*>(data), size};
  (void)coffer::evidence::measure::read_sev_firmware(image);
  (void)coffer::evidence::measure::read_tdx_sections(image);
  return 0;
}

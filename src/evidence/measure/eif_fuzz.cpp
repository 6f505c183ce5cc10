#include "evidence/measure/eif.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)coffer::evidence::measure::measure_eif({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}

#include "evidence/measure/pe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const coffer::ByteView image{reinterpret_cast<const std::byte*>(data), size};
  (void)coffer::evidence::measure::authenticode_digest(coffer::crypto::HashAlgorithm::sha256, image);
  return 0;
}

#include "codec/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)coffer::codec::parse_yaml_document({reinterpret_cast<const char*>(data), size}, "fuzz.yaml");
  return 0;
}

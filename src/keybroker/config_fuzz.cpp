#include "keybroker/config_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto format = static_cast<coffer::keybroker::ConfigFormat>(data[0] % 3);
  const std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  (void)coffer::keybroker::parse_config(text, format, "fuzz");
  return 0;
}

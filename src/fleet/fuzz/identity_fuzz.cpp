// The shared credential file, and durations as they stand in variables.
#include "fleet/config/identity.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  (void)coffer::fleet::parse_identity_file(text, "config.toml", "proplet");
  (void)coffer::fleet::parse_duration(text);
  return 0;
}

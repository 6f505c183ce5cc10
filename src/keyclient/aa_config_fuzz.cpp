#include "keyclient/aa_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::keyclient;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  (void)parse_aa_config(text, AaConfigFormat::toml, "fuzz.toml");
  (void)parse_aa_config(text, AaConfigFormat::json, "fuzz.json");
  (void)parse_aa_config(text, AaConfigFormat::yaml, "fuzz.yaml");
  (void)parse_kbc_params(text);
  return 0;
}

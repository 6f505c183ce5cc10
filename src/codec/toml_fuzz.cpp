#include "base/bytes.h"
#include "codec/toml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = coffer::as_text({reinterpret_cast<const std::byte*>(data), size});
  const auto value = coffer::codec::parse_toml(text, "fuzz.toml");
  if (value && !value->is_object()) __builtin_trap();
  return 0;
}

// Whatever parses has a normal text that parses to the same value.
#include <cstdint>
#include <cstdlib>

#include "codec/resource_uri.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using coffer::codec::ResourceUri;
  const auto uri = ResourceUri::parse_any({reinterpret_cast<const char*>(data), size});
  if (!uri) return 0;
  const auto again = ResourceUri::parse(uri->text());
  if (!again || *again != *uri) std::abort();
  return 0;
}

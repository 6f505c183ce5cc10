// The canonical text of a canonical text is itself.
#include <cstdint>
#include <cstdlib>

#include "codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::codec;
  const auto value = json::parse({reinterpret_cast<const char*>(data), size});
  if (!value) return 0;
  const auto text = json::canonicalize(*value);
  if (!text) return 0;
  const auto again = json::parse(*text);
  if (!again) std::abort();
  const auto second = json::canonicalize(*again);
  // A double such as 1e20 is written without a point, and is an integer beyond 2^53 when it is read again.
  if (second ? *second != *text : second.error().code != json::JsonError::number_range) std::abort();
  return 0;
}

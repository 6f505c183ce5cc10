#include <cstdlib>

#include "keyclient/resource_source.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::keyclient;
  OfflineFsKbcSource source;
  // The same text twice adds nothing new and therefore contradicts nothing.
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (source.add(text, "first") && !source.add(text, "second")) std::abort();
  return 0;
}

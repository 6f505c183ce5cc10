#include <cstdint>
#include <cstdlib>

#include "image/registry_auth.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto list = coffer::image::parse_www_authenticate({reinterpret_cast<const char*>(data), size});
  if (!list) return 0;
  for (const auto& challenge : *list) {
    if (challenge.scheme.empty()) std::abort();
  }
  return 0;
}

#include <cstdint>

#include "image/registry_auth.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::image;
  static const auto reference = ImageReference::parse("ghcr.io/a/b").value();
  const auto config = AuthConfig::parse({reinterpret_cast<const std::byte*>(data), size});
  if (config) static_cast<void>(config->find(reference));
  return 0;
}

#include <cstdint>

#include "image/ocicrypt/keyprovider.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::image::ocicrypt;
  const coffer::ByteView text{reinterpret_cast<const std::byte*>(data), size};
  static_cast<void>(parse_keyprovider_request(text));
  static_cast<void>(parse_wrap_response(text));
  static_cast<void>(parse_unwrap_response(text));
  static_cast<void>(parse_provider_parameter(coffer::as_text(text)));
  return 0;
}

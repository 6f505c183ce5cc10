// Whatever decodes has exactly one spelling, except in the lenient flavour.
#include <cstdint>
#include <cstdlib>

#include "codec/base64.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::codec;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto padded = base64_decode(text);
  if (padded && base64_encode(*padded) != text) std::abort();
  const auto url = base64url_decode(text);
  if (url && base64url_encode(*url) != text) std::abort();
  const auto lenient = base64_decode_lenient(text);
  if (padded && (!lenient || *lenient != *padded)) std::abort();
  if (url && (!lenient || *lenient != *url)) std::abort();
  const auto secret = base64_decode_secret(as_bytes(text));
  if (secret.has_value() != lenient.has_value()) std::abort();
  if (secret && !equal(secret->expose(), *lenient)) std::abort();
  const auto hex = hex_decode(text);
  if (hex && *hex_decode(hex_encode(*hex)) != *hex) std::abort();
  return 0;
}

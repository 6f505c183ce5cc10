// What cosign signs, and files of public keys: what parses is written and read again as the same.
#include <cstdint>
#include <cstdlib>

#include "image/signature/payload.h"
#include "image/signature/trusted_keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::image::signature;
  const coffer::ByteView text{reinterpret_cast<const std::byte*>(data), size};
  if (const auto keys = TrustedKeys::parse(coffer::as_text(text), "the input")) {
    if (keys->keys().empty() || keys->keys().size() > TrustedKeys::max_keys) std::abort();
  }
  const auto payload = SimpleSigning::parse(text);
  if (!payload) return 0;
  const auto again = SimpleSigning::parse(coffer::as_bytes(payload->to_json()));
  if (!again || again->manifest != payload->manifest || again->reference != payload->reference) std::abort();
  return 0;
}

// What is parsed has a deterministic encoding, which parses to the same encoding.
#include <cstdint>
#include <cstdlib>

#include "codec/cbor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::codec;
  const auto value = cbor::parse(std::as_bytes(std::span{data, size}));
  if (!value) return 0;
  const auto encoded = cbor::encode(*value);
  const auto again = cbor::parse(encoded);
  if (!again || cbor::encode(*again) != encoded) std::abort();
  return 0;
}

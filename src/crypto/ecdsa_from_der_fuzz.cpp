#include <cstdlib>

#include "crypto/keys.h"

// What is accepted has one encoding: writing it again gives the input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::crypto;
  const ByteView input{reinterpret_cast<const std::byte*>(data), size};
  for (const auto curve : {KeyKind::ec_p256, KeyKind::ec_p384, KeyKind::ec_p521}) {
    const auto raw = ecdsa_from_der(curve, input);
    if (!raw) continue;
    const auto again = ecdsa_to_der(curve, *raw);
    if (!again || !equal(*again, input)) std::abort();
  }
  return 0;
}

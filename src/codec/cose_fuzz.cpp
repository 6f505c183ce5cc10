// Parsing never crashes, and a key that signed nothing verifies nothing.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "codec/cose.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::codec;
  static const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256)->public_key();
  static constexpr std::array allowed{crypto::SignatureAlgorithm::es256};
  const auto message = cose::Sign1::parse(std::as_bytes(std::span{data, size}));
  if (message && cose::verify(*message, key, allowed)) std::abort();
  return 0;
}

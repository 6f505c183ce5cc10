// Parsing never crashes, and a key that signed nothing verifies nothing.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "codec/jose/jws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::codec;
  static const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256)->public_key();
  static constexpr std::array allowed{crypto::SignatureAlgorithm::es256};
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto compact = jose::UnverifiedJws::parse_compact(text);
  if (compact && jose::verify(*compact, key, allowed)) std::abort();
  const auto several = jose::UnverifiedJws::parse_json(text);
  if (!several) return 0;
  for (const auto& jws : *several) {
    if (jose::verify(jws, key, allowed)) std::abort();
  }
  return 0;
}

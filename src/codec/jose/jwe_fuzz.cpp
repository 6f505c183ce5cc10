// Parsing never crashes, and a fresh key opens nothing.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "codec/jose/jwe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::codec;
  using jose::KeyManagement;
  static const auto key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
  static const Bytes symmetric(32, std::byte{0x5a});
  static constexpr std::array allowed{KeyManagement::ecdh_es_a256kw, KeyManagement::ecdh_es_a128kw,
                                      KeyManagement::a256kw, KeyManagement::dir};
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (jose::decrypt(text, key, allowed)) std::abort();
  if (jose::decrypt_symmetric(text, symmetric, allowed)) std::abort();
  return 0;
}

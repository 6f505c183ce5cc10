// A key that parses has a JWK that parses to the same key.
#include <cstdint>
#include <cstdlib>

#include "codec/jose/jwk.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::codec;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  (void)jose::parse_jwk_set(text);
  const auto value = json::parse(text);
  if (!value) return 0;
  (void)jose::parse_private_jwk(*value);
  const auto jwk = jose::parse_jwk(*value);
  if (!jwk) return 0;
  const auto again = jose::parse_jwk(jose::to_jwk(jwk->key, jwk->alg, jwk->kid));
  if (!again || !(again->key == jwk->key) || jose::thumbprint(again->key) != jose::thumbprint(jwk->key)) std::abort();
  return 0;
}

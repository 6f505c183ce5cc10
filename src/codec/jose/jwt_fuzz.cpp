// The bytes are the claims of a token that is signed correctly: every rule sees any JSON.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "codec/jose/jwt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::codec;
  static const auto key = *crypto::PrivateKey::generate(crypto::KeyKind::ed25519);
  static const auto public_key = key.public_key();
  static constexpr std::array allowed{crypto::SignatureAlgorithm::eddsa};
  const auto payload = std::as_bytes(std::span{data, size});
  (void)jose::UnverifiedJwt::parse({reinterpret_cast<const char*>(data), size});
  const auto token = jose::sign_compact({}, payload, key, crypto::SignatureAlgorithm::eddsa);
  jose::JwtRules rules{.now = from_unix_seconds(1'700'000'000), .issuer = "i", .audience = "a"};
  const auto verified = jose::VerifiedJwt::verify(*token, public_key, allowed, rules);
  if (verified && !verified->claims().contains("exp")) std::abort();
  return 0;
}

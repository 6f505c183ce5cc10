#include <cstdlib>

#include "crypto/keys.h"

// Either half of a key that parses is written and read again as the same key.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::crypto;
  const ByteView input{reinterpret_cast<const std::byte*>(data), size};
  if (const auto key = PublicKey::from_pem(as_text(input))) {
    const auto again = PublicKey::from_pem(key->to_pem());
    if (!again || !(*again == *key)) std::abort();
  }
  if (const auto key = PrivateKey::from_pem(input)) {
    const auto again = PrivateKey::from_pem(key->to_pem_pkcs8().expose());
    if (!again || !(again->public_key() == key->public_key())) std::abort();
  }
  static_cast<void>(PublicKey::from_spki_der(input));
  static_cast<void>(PrivateKey::from_pkcs8_der(input));
  return 0;
}

#include "codec/jose/jwe.h"

#include <algorithm>
#include <array>

#include "codec/jose/detail/jwe_keys.h"
#include "codec/jose/detail/jwe_message.h"
#include "crypto/aead.h"
#include "crypto/random.h"

namespace coffer::codec::jose {
namespace {

using detail::JweMessage;
using detail::JweRecipient;

struct Name {
  KeyManagement algorithm;
  std::string_view name;
};

// RFC 7518 section 4.1.
constexpr std::array names{
    Name{KeyManagement::ecdh_es_a256kw, "ECDH-ES+A256KW"},
    Name{KeyManagement::ecdh_es_a192kw, "ECDH-ES+A192KW"},
    Name{KeyManagement::ecdh_es_a128kw, "ECDH-ES+A128KW"},
    Name{KeyManagement::rsa_oaep_256, "RSA-OAEP-256"},
    Name{KeyManagement::rsa_oaep, "RSA-OAEP"},
    Name{KeyManagement::rsa1_5, "RSA1_5"},
    Name{KeyManagement::a256kw, "A256KW"},
    Name{KeyManagement::a128kw, "A128KW"},
    Name{KeyManagement::dir, "dir"},
};

bool is_symmetric(KeyManagement algorithm) {
  return algorithm == KeyManagement::a256kw || algorithm == KeyManagement::a128kw || algorithm == KeyManagement::dir;
}

// RFC 7516 section 11.5: where the key does not unwrap, a random one takes its place, so that the time and the error
// are those of a wrong tag.
SecretBytes content_key_or_random(Result<SecretBytes> unwrapped, std::size_t size) {
  auto random = crypto::system_random().secret(size);
  if (unwrapped && unwrapped->size() == size) return *std::move(unwrapped);
  return random;
}

// Tries the recipients whose algorithm is in `allowed` and suits the key.
template <class Suits, class Key>
Result<SecretBytes> open(std::string_view text, const Key& key, std::span<const KeyManagement> allowed, Suits suits) {
  const auto message = TRY(JweMessage::parse(text));
  bool tried = false;
  for (const auto& recipient : message.recipients) {
    const auto algorithm = parse_key_management(recipient.alg);
    if (!algorithm || !suits(*algorithm)) continue;
    if (std::find(allowed.begin(), allowed.end(), *algorithm) == allowed.end()) continue;
    tried = true;
    const auto content_key =
        content_key_or_random(detail::unwrap_content_key(recipient, *algorithm, key), recipient.content_key_size);
    auto plaintext =
        crypto::aes_gcm_open(content_key.expose(), message.iv, as_bytes(message.aad), message.ciphertext, message.tag);
    if (plaintext) return plaintext;
  }
  if (tried) return fail(JoseError::decryption_failed, "the JWE does not open with this key");
  return fail(JoseError::algorithm_not_allowed, "the key management " + message.recipients.front().alg.substr(0, 40) +
                                                    " is not allowed here or does not suit the key");
}

}  // namespace

std::string_view name_of(KeyManagement algorithm) {
  return std::find_if(names.begin(), names.end(), [&](const Name& n) { return n.algorithm == algorithm; })->name;
}

std::optional<KeyManagement> parse_key_management(std::string_view name) {
  const auto* found = std::find_if(names.begin(), names.end(), [&](const Name& n) { return n.name == name; });
  if (found == names.end()) return std::nullopt;
  return found->algorithm;
}

Result<SecretBytes> decrypt(std::string_view text, const crypto::PrivateKey& key,
                            std::span<const KeyManagement> allowed) {
  return open(text, key, allowed, [&](KeyManagement algorithm) { return detail::fits(algorithm, key.kind()); });
}

Result<SecretBytes> decrypt_symmetric(std::string_view text, ByteView key, std::span<const KeyManagement> allowed) {
  return open(text, key, allowed, is_symmetric);
}

}  // namespace coffer::codec::jose

// JSON Web Encryption (RFC 7516) as the KBS protocol and ocicrypt use it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/secret_bytes.h"
#include "codec/jose/jwk.h"

namespace coffer::codec::jose {

// How the content key is brought to a recipient.
enum class KeyManagement {
  ecdh_es_a256kw,
  ecdh_es_a192kw,
  ecdh_es_a128kw,
  rsa_oaep_256,
  rsa_oaep,
  rsa1_5,
  a256kw,
  a128kw,
  dir
};
std::string_view name_of(KeyManagement algorithm);  // "ECDH-ES+A256KW", ...
std::optional<KeyManagement> parse_key_management(std::string_view name);

// The response of a KBS: flattened JSON, protected = {"alg","enc":"A256GCM"[,"epk":{"crv","kty","x","y"}]} compact and
// in exactly that order, because upstream's client re-serialises it to rebuild the AAD (trustee.md 1.6).
Result<std::string> encrypt_flattened(ByteView plaintext, const crypto::PublicKey& recipient, KeyManagement algorithm);

// Opens flattened, general or compact serialisation. The AAD is the protected text as received. `allowed` lists the
// key management algorithms that this use accepts; content encryption is A256GCM, A192GCM or A128GCM.
Result<SecretBytes> decrypt(std::string_view text, const crypto::PrivateKey& key,
                            std::span<const KeyManagement> allowed);
// With a symmetric key (a256kw, a128kw, dir).
Result<SecretBytes> decrypt_symmetric(std::string_view text, ByteView key, std::span<const KeyManagement> allowed);

// JSON serialisation for one or several recipients, as ocicrypt's jwe key wrapper writes it (A256GCM; RSA-OAEP or
// ECDH-ES+A256KW by the kind of key): flattened with everything protected for one recipient, general with "alg" and
// "epk" in each recipient's own header for several.
Result<std::string> encrypt_general(ByteView plaintext, std::span<const crypto::PublicKey> recipients);

}  // namespace coffer::codec::jose

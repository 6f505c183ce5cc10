// The two option documents of an encrypted layer (guest-components.md 4.1): public in an annotation, private inside the
// wraps.
#pragma once

#include <optional>
#include <string>

#include "base/secret_bytes.h"
#include "image/digest.h"

namespace coffer::image::ocicrypt {

inline constexpr std::string_view cipher_name = "AES_256_CTR_HMAC_SHA256";

// {"cipher":"AES_256_CTR_HMAC_SHA256","hmac":base64(32),"cipheroptions":{}}
struct PublicOptions {
  Bytes hmac;                    // 32 bytes, over the ciphertext
  std::optional<Bytes> nonce{};  // where a writer chose to make it public

  static Result<PublicOptions> parse(ByteView text);
  std::string to_json() const;
};

// {"symkey":base64(32),"digest":"sha256:...","cipheroptions":{"nonce":base64(16)}}. The digest is of the layer as it
// was before encryption, still compressed.
struct PrivateOptions {
  SecretBytes key;
  std::optional<Digest> digest{};  // old writers leave it empty
  std::optional<Bytes> nonce{};    // looked for in the public options first

  static Result<PrivateOptions> parse(ByteView text);
  SecretBytes to_json() const;
};

}  // namespace coffer::image::ocicrypt

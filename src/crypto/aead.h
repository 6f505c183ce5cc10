// AES-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439), with a 128-bit tag.
#pragma once

#include "base/secret_bytes.h"
#include "crypto/error.h"

namespace coffer::crypto {

inline constexpr std::size_t gcm_iv_size = 12;
inline constexpr std::size_t gcm_tag_size = 16;

struct Sealed {
  Bytes ciphertext;  // as long as the plaintext
  Bytes tag;         // gcm_tag_size bytes
};

// key: 16, 24 or 32 bytes; iv: 12 bytes and never used twice with one key (other sizes from 1 to 64 are accepted on
// opening only, for what others made).
Result<Sealed> aes_gcm_seal(ByteView key, ByteView iv, ByteView aad, ByteView plaintext);

// Releases the plaintext only after the tag holds; otherwise CryptoError::bad_tag.
Result<SecretBytes> aes_gcm_open(ByteView key, ByteView iv, ByteView aad, ByteView ciphertext, ByteView tag);

// The same with the tag appended to the ciphertext, as most formats have it on the wire.
Result<Bytes> aes_gcm_seal_joined(ByteView key, ByteView iv, ByteView aad, ByteView plaintext);
Result<SecretBytes> aes_gcm_open_joined(ByteView key, ByteView iv, ByteView aad, ByteView ciphertext_and_tag);

// ChaCha20-Poly1305 in the same form. key: 32 bytes; iv: 12 bytes, never used twice with one key.
inline constexpr std::size_t chacha20_poly1305_key_size = 32;
Result<Bytes> chacha20_poly1305_seal_joined(ByteView key, ByteView iv, ByteView aad, ByteView plaintext);
Result<SecretBytes> chacha20_poly1305_open_joined(ByteView key, ByteView iv, ByteView aad, ByteView ciphertext_and_tag);

}  // namespace coffer::crypto

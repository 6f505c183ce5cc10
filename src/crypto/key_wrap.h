// AES key wrap (RFC 3394).
#pragma once

#include "base/secret_bytes.h"
#include "crypto/error.h"

namespace coffer::crypto {

// kek: 16, 24 or 32 bytes; key: a multiple of 8 bytes, at least 16. The result is 8 bytes longer than the key.
Result<Bytes> aes_key_wrap(ByteView kek, ByteView key);
// CryptoError::bad_tag where the integrity value does not hold.
Result<SecretBytes> aes_key_unwrap(ByteView kek, ByteView wrapped);

}  // namespace coffer::crypto

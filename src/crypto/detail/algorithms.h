// Algorithms fetched once: OpenSSL 3 looks them up by name on each use otherwise, which costs more than hashing a
// small input.
#pragma once

#include "crypto/detail/openssl.h"
#include "crypto/hash.h"

namespace coffer::crypto::detail {

const EVP_MD* digest(HashAlgorithm algorithm);

enum class CipherKind { gcm, ctr, wrap };
// key_size: 16, 24 or 32 bytes; null for any other.
const EVP_CIPHER* aes(CipherKind kind, std::size_t key_size);
const EVP_CIPHER* chacha20_poly1305();

// A new HMAC context with its digest set and no key yet.
MacContext new_hmac(HashAlgorithm algorithm);

}  // namespace coffer::crypto::detail

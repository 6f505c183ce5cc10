#pragma once

#include "base/secret_bytes.h"
#include "crypto/error.h"
#include "crypto/hash.h"

namespace coffer::crypto {

// RFC 5869, extract then expand. length: at most 255 times the digest size.
Result<SecretBytes> hkdf(HashAlgorithm algorithm, ByteView secret, ByteView salt, ByteView info, std::size_t length);

// The Concat KDF of NIST SP 800-56A section 5.8.1 with SHA-256 as RFC 7518 section 4.6.2 uses it:
// other_info = AlgorithmID || PartyUInfo || PartyVInfo || SuppPubInfo, already encoded by the caller.
Result<SecretBytes> concat_kdf_sha256(ByteView shared_secret, ByteView other_info, std::size_t length);

}  // namespace coffer::crypto

// How a content key travels to a recipient: agreement, wrapping and encryption (RFC 7518 section 4).
#pragma once

#include "codec/jose/detail/jwe_message.h"
#include "codec/jose/jwe.h"

namespace coffer::codec::jose::detail {

bool is_agreement(KeyManagement algorithm);
bool is_rsa(KeyManagement algorithm);
// Whether an asymmetric key of this kind can serve the algorithm.
bool fits(KeyManagement algorithm, crypto::KeyKind kind);

// The key that wraps the content key, from the shared secret Z (section 4.6.2): Concat KDF over the algorithm's full
// name, apu, apv and the size in bits.
Result<SecretBytes> derive_wrapping_key(KeyManagement algorithm, ByteView shared_secret, ByteView apu, ByteView apv);

struct WrappedKey {
  Bytes encrypted_key;
  json::Object header;  // "epk" where the algorithm is an agreement
};
// `ephemeral` is used by agreements alone.
Result<WrappedKey> wrap_content_key(ByteView content_key, const crypto::PublicKey& recipient, KeyManagement algorithm,
                                    const crypto::PrivateKey* ephemeral);

// Any error means that this recipient is not for this key; nobody may tell the causes apart.
Result<SecretBytes> unwrap_content_key(const JweRecipient& recipient, KeyManagement algorithm,
                                       const crypto::PrivateKey& key);
Result<SecretBytes> unwrap_content_key(const JweRecipient& recipient, KeyManagement algorithm, ByteView key);

}  // namespace coffer::codec::jose::detail

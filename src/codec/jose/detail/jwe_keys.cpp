#include "codec/jose/detail/jwe_keys.h"

#include "base/byte_reader.h"
#include "codec/jose/detail/header.h"
#include "crypto/kdf.h"
#include "crypto/key_wrap.h"

namespace coffer::codec::jose::detail {
namespace {

std::size_t wrapping_key_size(KeyManagement algorithm) {
  switch (algorithm) {
    case KeyManagement::ecdh_es_a256kw:
    case KeyManagement::a256kw: return 32;
    case KeyManagement::ecdh_es_a192kw: return 24;
    default: return 16;
  }
}

ByteWriter& append_with_length(ByteWriter& writer, ByteView data) {
  return writer.u32_be(static_cast<std::uint32_t>(data.size())).bytes(data);
}

// "apu" and "apv" of a header, empty where absent.
Result<Bytes> party_info(const json::Object& header, std::string_view name) {
  if (!header.contains(name)) return Bytes{};
  return decode_member(header, name, "header");
}

Result<SecretBytes> agreed_key(const JweRecipient& recipient, KeyManagement algorithm, const crypto::PrivateKey& key) {
  const auto* epk = recipient.header.find("epk");
  if (epk == nullptr) return fail(JoseError::malformed, "the header has no epk");
  const auto peer = TRY(parse_jwk(*epk));
  if (peer.key.kind() != key.kind())
    return fail(JoseError::malformed, "epk is on another curve than the recipient's key");
  const auto secret = TRY(key.ecdh(peer.key));
  return derive_wrapping_key(algorithm, secret.expose(), TRY(party_info(recipient.header, "apu")),
                             TRY(party_info(recipient.header, "apv")));
}

std::unexpected<Error> unfit(KeyManagement algorithm, std::string_view kind) {
  return fail(JoseError::bad_key, "the key management " + std::string{name_of(algorithm)} +
                                      " cannot use a key of kind " + std::string{kind});
}

}  // namespace

bool is_agreement(KeyManagement algorithm) {
  return algorithm == KeyManagement::ecdh_es_a256kw || algorithm == KeyManagement::ecdh_es_a192kw ||
         algorithm == KeyManagement::ecdh_es_a128kw;
}

bool is_rsa(KeyManagement algorithm) {
  return algorithm == KeyManagement::rsa_oaep_256 || algorithm == KeyManagement::rsa_oaep ||
         algorithm == KeyManagement::rsa1_5;
}

bool fits(KeyManagement algorithm, crypto::KeyKind kind) {
  if (kind == crypto::KeyKind::rsa) return is_rsa(algorithm);
  return kind != crypto::KeyKind::ed25519 && is_agreement(algorithm);
}

Result<SecretBytes> derive_wrapping_key(KeyManagement algorithm, ByteView shared_secret, ByteView apu, ByteView apv) {
  const auto size = wrapping_key_size(algorithm);
  ByteWriter other_info;
  append_with_length(other_info, as_bytes(name_of(algorithm)));
  append_with_length(other_info, apu);
  append_with_length(other_info, apv);
  other_info.u32_be(static_cast<std::uint32_t>(size * 8));
  return crypto::concat_kdf_sha256(shared_secret, other_info.view(), size);
}

Result<WrappedKey> wrap_content_key(ByteView content_key, const crypto::PublicKey& recipient, KeyManagement algorithm,
                                    const crypto::PrivateKey* ephemeral) {
  if (!fits(algorithm, recipient.kind())) return unfit(algorithm, crypto::name_of(recipient.kind()));
  if (algorithm == KeyManagement::rsa1_5) return WrappedKey {
      TRY(recipient.encrypt_pkcs1v15(content_key))
      , {}
    };
  if (is_rsa(algorithm)) {
    const auto hash =
        algorithm == KeyManagement::rsa_oaep ? crypto::HashAlgorithm::sha1 : crypto::HashAlgorithm::sha256;
    return WrappedKey {
      TRY(recipient.encrypt_oaep(hash, content_key))
      , {}
    };
  }
  const auto secret = TRY(ephemeral->ecdh(recipient));
  const auto wrapping_key = TRY(derive_wrapping_key(algorithm, secret.expose(), {}, {}));
  return WrappedKey {
    TRY(crypto::aes_key_wrap(wrapping_key.expose(), content_key))
    , {
      {
        "epk", TRY(to_public_jwk(*ephemeral))
      }
    }
  };
}

Result<SecretBytes> unwrap_content_key(const JweRecipient& recipient, KeyManagement algorithm,
                                       const crypto::PrivateKey& key) {
  switch (algorithm) {
    case KeyManagement::rsa_oaep_256: return key.decrypt_oaep(crypto::HashAlgorithm::sha256, recipient.encrypted_key);
    case KeyManagement::rsa_oaep: return key.decrypt_oaep(crypto::HashAlgorithm::sha1, recipient.encrypted_key);
    case KeyManagement::rsa1_5: return key.decrypt_pkcs1v15(recipient.encrypted_key);
    default: break;
  }
  const auto wrapping_key = TRY(agreed_key(recipient, algorithm, key));
  return crypto::aes_key_unwrap(wrapping_key.expose(), recipient.encrypted_key);
}

Result<SecretBytes> unwrap_content_key(const JweRecipient& recipient, KeyManagement algorithm, ByteView key) {
  if (algorithm == KeyManagement::dir) {
    // RFC 7518 section 4.5: the encrypted key is the empty octet sequence.
    if (recipient.encrypted_key.empty()) return SecretBytes::copy_of(key);
    return fail(JoseError::malformed, "a JWE with dir must have no encrypted key");
  }
  if (key.size() != wrapping_key_size(algorithm)) return unfit(algorithm, std::to_string(key.size() * 8) + " bits");
  return crypto::aes_key_unwrap(key, recipient.encrypted_key);
}

}  // namespace coffer::codec::jose::detail

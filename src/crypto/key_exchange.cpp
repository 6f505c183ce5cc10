// ECDH and RSA encryption.
#include <openssl/rsa.h>

#include "crypto/detail/algorithms.h"
#include "crypto/detail/key_impl.h"

namespace coffer::crypto {
namespace {

enum class Padding { oaep_sha1, oaep_sha256, pkcs1v15 };

Result<Padding> oaep_padding(HashAlgorithm hash) {
  if (hash == HashAlgorithm::sha1) return Padding::oaep_sha1;
  if (hash == HashAlgorithm::sha256) return Padding::oaep_sha256;
  return fail(CryptoError::unsupported, "RSA-OAEP is done with SHA-1 or SHA-256, not " + std::string{name_of(hash)});
}

Result<> require_rsa(KeyKind kind) {
  if (kind == KeyKind::rsa) return {};
  return fail(CryptoError::bad_key, "RSA encryption needs an RSA key, this one is " + std::string{name_of(kind)});
}

bool set_padding(EVP_PKEY_CTX* context, Padding padding) {
  if (padding == Padding::pkcs1v15) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  const auto* md = detail::digest(padding == Padding::oaep_sha1 ? HashAlgorithm::sha1 : HashAlgorithm::sha256);
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(context, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) == 1;
}

Result<Bytes> encrypt(const PublicKey::Impl& key, Padding padding, ByteView plaintext) {
  TRY(require_rsa(key.kind));
  const detail::PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, key.pkey.get(), nullptr)};
  Bytes out(static_cast<std::size_t>(EVP_PKEY_get_size(key.pkey.get())));
  auto size = out.size();
  if (!context || EVP_PKEY_encrypt_init(context.get()) != 1 || !set_padding(context.get(), padding) ||
      EVP_PKEY_encrypt(context.get(), detail::data_of(MutableByteView{out}), &size, detail::data_of(plaintext),
                       plaintext.size()) != 1) {
    return detail::openssl_fail(CryptoError::bad_parameter, "RSA cannot encrypt " + std::to_string(plaintext.size()) +
                                                                " bytes with this key and padding");
  }
  return out;
}

Result<SecretBytes> decrypt(const PrivateKey::Impl& key, Padding padding, ByteView ciphertext) {
  TRY(require_rsa(key.kind));
  const detail::PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, key.pkey.get(), nullptr)};
  SecretBytes out(static_cast<std::size_t>(EVP_PKEY_get_size(key.pkey.get())));
  auto size = out.size();
  const bool done = context && EVP_PKEY_decrypt_init(context.get()) == 1 && set_padding(context.get(), padding) &&
                    EVP_PKEY_decrypt(context.get(), detail::data_of(out.mutable_expose()), &size,
                                     detail::data_of(ciphertext), ciphertext.size()) == 1;
  // RFC 8017 section 7.1.2: the cause must not be told, nor be visible otherwise.
  ERR_clear_error();
  if (!done) return fail(CryptoError::bad_tag, "the RSA ciphertext does not decrypt with this key");
  out.truncate(size);
  return out;
}

}  // namespace

Result<Bytes> PublicKey::encrypt_oaep(HashAlgorithm hash, ByteView plaintext) const {
  return encrypt(*impl_, TRY(oaep_padding(hash)), plaintext);
}

Result<Bytes> PublicKey::encrypt_pkcs1v15(ByteView plaintext) const {
  return encrypt(*impl_, Padding::pkcs1v15, plaintext);
}

Result<SecretBytes> PrivateKey::decrypt_oaep(HashAlgorithm hash, ByteView ciphertext) const {
  return decrypt(*impl_, TRY(oaep_padding(hash)), ciphertext);
}

Result<SecretBytes> PrivateKey::decrypt_pkcs1v15(ByteView ciphertext) const {
  return decrypt(*impl_, Padding::pkcs1v15, ciphertext);
}

Result<SecretBytes> PrivateKey::ecdh(const PublicKey& peer) const {
  const auto* curve = detail::find_curve(impl_->kind);
  if (curve == nullptr || peer.kind() != impl_->kind) {
    return fail(CryptoError::bad_key, "ECDH needs two keys on one curve, these are " +
                                          std::string{name_of(impl_->kind)} + " and " +
                                          std::string{name_of(peer.kind())});
  }
  const detail::PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, impl_->pkey.get(), nullptr)};
  SecretBytes out(curve->coordinate);
  auto size = out.size();
  // No second validation of the peer: each PublicKey's point was checked when it was made, and the cofactor is 1.
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer_ex(context.get(), peer.impl().pkey.get(), 0) != 1 ||
      EVP_PKEY_derive(context.get(), detail::data_of(out.mutable_expose()), &size) != 1 || size != out.size()) {
    return detail::openssl_fail(CryptoError::bad_key, "the shared point cannot be computed");
  }
  return out;
}

}  // namespace coffer::crypto

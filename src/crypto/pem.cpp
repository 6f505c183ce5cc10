// Keys out of PEM text.
#include "crypto/detail/key_impl.h"
#include "crypto/detail/pem_block.h"
#include "crypto/x509.h"

namespace coffer::crypto {
namespace {

constexpr std::size_t largest_pem = 1U << 20;

// The first block that is a key or certificate. Files of `openssl ecparam -genkey` begin with the curve's name alone.
Result<detail::PemBlock> key_block(ByteView pem) {
  if (pem.size() > largest_pem) return fail(CryptoError::bad_key, "PEM text of a key over 1 MiB");
  const auto bio = detail::reading_bio(pem);
  while (auto block = TRY(detail::next_pem_block(bio.get()))) {
    if (block->label == "EC PARAMETERS") continue;
    if (block->encrypted || block->label == "ENCRYPTED PRIVATE KEY") {
      return fail(CryptoError::bad_key, "the key is encrypted with a passphrase; give it unencrypted");
    }
    return *std::move(block);
  }
  return fail(CryptoError::bad_key, "no PEM block ('-----BEGIN ...') was found");
}

Result<PublicKey> certificate_key(ByteView der) {
  const auto certificate = Certificate::from_der(der);
  if (!certificate) return fail(CryptoError::bad_key, certificate.error().message);
  return certificate->public_key();
}

Result<PublicKey> pkcs1_public(ByteView der) {
  const auto* cursor = detail::data_of(der);
  const auto* end = cursor + der.size();
  detail::Pkey pkey{d2i_PublicKey(EVP_PKEY_RSA, nullptr, &cursor, static_cast<long>(der.size()))};
  if (!pkey || cursor != end) return detail::openssl_fail(CryptoError::bad_key, "not a PKCS#1 RSA public key");
  return detail::adopt_public(std::move(pkey));
}

Result<PrivateKey> traditional(int type, ByteView der) {
  const auto* cursor = detail::data_of(der);
  const auto* end = cursor + der.size();
  detail::Pkey pkey{d2i_PrivateKey(type, nullptr, &cursor, static_cast<long>(der.size()))};
  if (!pkey || cursor != end) {
    return detail::openssl_fail(CryptoError::bad_key,
                                type == EVP_PKEY_RSA ? "not a PKCS#1 RSA private key" : "not a SEC 1 EC private key");
  }
  return detail::adopt_private(std::move(pkey));
}

}  // namespace

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  const auto block = TRY(key_block(as_bytes(pem)));
  const auto content = block.content.expose();
  if (block.label == "PUBLIC KEY") return from_spki_der(content);
  if (block.label == "RSA PUBLIC KEY") return pkcs1_public(content);
  if (block.label == "CERTIFICATE") return certificate_key(content);
  return fail(CryptoError::bad_key, "a PEM public key was expected, found '" + block.label + "'");
}

Result<PrivateKey> PrivateKey::from_pem(ByteView pem) {
  const auto block = TRY(key_block(pem));
  const auto content = block.content.expose();
  if (block.label == "PRIVATE KEY") return from_pkcs8_der(content);
  if (block.label == "EC PRIVATE KEY") return traditional(EVP_PKEY_EC, content);
  if (block.label == "RSA PRIVATE KEY") return traditional(EVP_PKEY_RSA, content);
  return fail(CryptoError::bad_key, "a PEM private key was expected, found '" + block.label + "'");
}

Result<PrivateKey> PrivateKey::from_pkcs8_der(ByteView der) {
  const auto* cursor = detail::data_of(der);
  const auto* end = cursor + der.size();
  const detail::Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info{
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size()))};
  if (!info) return detail::openssl_fail(CryptoError::bad_key, "not a PKCS#8 private key");
  if (cursor != end) return fail(CryptoError::bad_key, "bytes follow the PKCS#8 private key");
  detail::Pkey pkey{EVP_PKCS82PKEY(info.get())};
  if (!pkey) return detail::openssl_fail(CryptoError::bad_key, "the PKCS#8 private key does not parse");
  return detail::adopt_private(std::move(pkey));
}

}  // namespace coffer::crypto

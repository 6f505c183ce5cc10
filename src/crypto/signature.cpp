#include <openssl/rsa.h>

#include "crypto/detail/algorithms.h"
#include "crypto/detail/key_impl.h"

namespace coffer::crypto {
namespace {

HashAlgorithm hash_of(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::es384:
    case SignatureAlgorithm::rs384:
    case SignatureAlgorithm::ps384: return HashAlgorithm::sha384;
    case SignatureAlgorithm::es512:
    case SignatureAlgorithm::rs512:
    case SignatureAlgorithm::ps512: return HashAlgorithm::sha512;
    default: return HashAlgorithm::sha256;
  }
}

bool is_pss(SignatureAlgorithm algorithm) {
  return algorithm == SignatureAlgorithm::ps256 || algorithm == SignatureAlgorithm::ps384 ||
         algorithm == SignatureAlgorithm::ps512;
}

Result<> check_fit(SignatureAlgorithm algorithm, KeyKind kind) {
  if (fits(algorithm, kind)) return {};
  return fail(CryptoError::bad_key,
              "the signature algorithm is not one for a key of kind " + std::string{name_of(kind)});
}

Result<detail::PkeyContext> context_of(const detail::Pkey& pkey) {
  detail::PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, pkey.get(), nullptr)};
  if (!context) return detail::openssl_fail(CryptoError::internal, "no context for the key");
  return context;
}

bool set_rsa_scheme(EVP_PKEY_CTX* context, SignatureAlgorithm algorithm) {
  if (EVP_PKEY_CTX_set_signature_md(context, detail::digest(hash_of(algorithm))) != 1) return false;
  if (!is_pss(algorithm)) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  // RFC 7518 section 3.5: MGF1 with the same hash, salt as long as its output.
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

Result<Bytes> sign_digest(const PrivateKey::Impl& key, SignatureAlgorithm algorithm, ByteView message) {
  const auto context = TRY(context_of(key.pkey));
  const auto digest = hash(hash_of(algorithm), message);
  Bytes out(static_cast<std::size_t>(EVP_PKEY_get_size(key.pkey.get())));
  auto size = out.size();
  if (EVP_PKEY_sign_init(context.get()) != 1 ||
      (key.kind == KeyKind::rsa && !set_rsa_scheme(context.get(), algorithm)) ||
      EVP_PKEY_sign(context.get(), detail::data_of(MutableByteView{out}), &size, detail::data_of(digest),
                    digest.size()) != 1) {
    return detail::openssl_fail(CryptoError::internal, "the key does not sign");
  }
  out.resize(size);
  return out;
}

Result<Bytes> sign_ed25519(const PrivateKey::Impl& key, ByteView message) {
  const detail::DigestContext context{EVP_MD_CTX_new()};
  Bytes out(64);
  auto size = out.size();
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.pkey.get(), nullptr) != 1 ||
      EVP_DigestSign(context.get(), detail::data_of(MutableByteView{out}), &size, detail::data_of(message),
                     message.size()) != 1) {
    return detail::openssl_fail(CryptoError::internal, "the key does not sign");
  }
  return out;
}

bool verify_digest(const PublicKey::Impl& key, SignatureAlgorithm algorithm, ByteView message, ByteView signature) {
  const auto context = context_of(key.pkey);
  const auto digest = hash(hash_of(algorithm), message);
  return context && EVP_PKEY_verify_init(context->get()) == 1 &&
         (key.kind != KeyKind::rsa || set_rsa_scheme(context->get(), algorithm)) &&
         EVP_PKEY_verify(context->get(), detail::data_of(signature), signature.size(), detail::data_of(digest),
                         digest.size()) == 1;
}

bool verify_ed25519(const PublicKey::Impl& key, ByteView message, ByteView signature) {
  const detail::DigestContext context{EVP_MD_CTX_new()};
  return context &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.pkey.get(), nullptr) == 1 &&
         EVP_DigestVerify(context.get(), detail::data_of(signature), signature.size(), detail::data_of(message),
                          message.size()) == 1;
}

bool holds(const PublicKey::Impl& key, SignatureAlgorithm algorithm, ByteView message, ByteView signature) {
  if (key.kind == KeyKind::ed25519) return verify_ed25519(key, message, signature);
  if (key.kind == KeyKind::rsa) return verify_digest(key, algorithm, message, signature);
  const auto der = ecdsa_to_der(key.kind, signature);
  return der && verify_digest(key, algorithm, message, *der);
}

}  // namespace

Result<Bytes> PrivateKey::sign(SignatureAlgorithm algorithm, ByteView message) const {
  TRY(check_fit(algorithm, impl_->kind));
  if (impl_->kind == KeyKind::ed25519) return sign_ed25519(*impl_, message);
  auto signature = TRY(sign_digest(*impl_, algorithm, message));
  if (impl_->kind == KeyKind::rsa) return signature;
  return ecdsa_from_der(impl_->kind, signature);
}

Result<> PublicKey::verify(SignatureAlgorithm algorithm, ByteView message, ByteView signature) const {
  TRY(check_fit(algorithm, impl_->kind));
  const detail::QueueCleaner cleaner;
  if (holds(*impl_, algorithm, message, signature)) return {};
  return fail(CryptoError::bad_signature,
              "the signature does not verify with this " + std::string{name_of(impl_->kind)} + " key");
}

}  // namespace coffer::crypto

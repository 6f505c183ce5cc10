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

SignatureScheme scheme_of(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::rs256:
    case SignatureAlgorithm::rs384:
    case SignatureAlgorithm::rs512: return SignatureScheme::rsa_pkcs1;
    case SignatureAlgorithm::ps256:
    case SignatureAlgorithm::ps384:
    case SignatureAlgorithm::ps512: return SignatureScheme::rsa_pss;
    default: return SignatureScheme::ecdsa;
  }
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

bool set_scheme(EVP_PKEY_CTX* context, SignatureScheme scheme, HashAlgorithm hash) {
  if (scheme == SignatureScheme::ecdsa) return true;  // it signs what it is given
  if (EVP_PKEY_CTX_set_signature_md(context, detail::digest(hash)) != 1) return false;
  if (scheme == SignatureScheme::rsa_pkcs1) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  // RFC 7518 section 3.5: MGF1 with the same hash, salt as long as its output.
  const int salt = scheme == SignatureScheme::rsa_pss ? RSA_PSS_SALTLEN_DIGEST : RSA_PSS_SALTLEN_AUTO;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) == 1;
}

Result<Bytes> sign_digest(const PrivateKey::Impl& key, SignatureAlgorithm algorithm, ByteView message) {
  const auto context = TRY(context_of(key.pkey));
  const auto digest = hash(hash_of(algorithm), message);
  Bytes out(static_cast<std::size_t>(EVP_PKEY_get_size(key.pkey.get())));
  auto size = out.size();
  if (EVP_PKEY_sign_init(context.get()) != 1 || !set_scheme(context.get(), scheme_of(algorithm), hash_of(algorithm)) ||
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

bool digest_holds(const PublicKey::Impl& key, SignatureScheme scheme, HashAlgorithm hash, ByteView digest,
                  ByteView signature) {
  const auto context = context_of(key.pkey);
  return context && EVP_PKEY_verify_init(context->get()) == 1 && set_scheme(context->get(), scheme, hash) &&
         EVP_PKEY_verify(context->get(), detail::data_of(signature), signature.size(), detail::data_of(digest),
                         digest.size()) == 1;
}

// EC signatures come as r || s.
bool scheme_holds(const PublicKey::Impl& key, SignatureScheme scheme, HashAlgorithm hash, ByteView digest,
                  ByteView signature) {
  if (scheme != SignatureScheme::ecdsa) return digest_holds(key, scheme, hash, digest, signature);
  const auto der = ecdsa_to_der(key.kind, signature);
  return der && digest_holds(key, scheme, hash, digest, *der);
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
  const auto algorithm_hash = hash_of(algorithm);
  return scheme_holds(key, scheme_of(algorithm), algorithm_hash, hash(algorithm_hash, message), signature);
}

bool fits(SignatureScheme scheme, KeyKind kind) {
  return scheme == SignatureScheme::ecdsa ? detail::find_curve(kind) != nullptr : kind == KeyKind::rsa;
}

std::unexpected<Error> does_not_verify(KeyKind kind) {
  return fail(CryptoError::bad_signature,
              "the signature does not verify with this " + std::string{name_of(kind)} + " key");
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
  return does_not_verify(impl_->kind);
}

Result<> PublicKey::verify_digest(SignatureScheme scheme, HashAlgorithm hash, ByteView digest,
                                  ByteView signature) const {
  if (!fits(scheme, impl_->kind)) {
    return fail(CryptoError::bad_key,
                "the signature scheme is not one for a key of kind " + std::string{name_of(impl_->kind)});
  }
  if (hash == HashAlgorithm::sha1 || hash == HashAlgorithm::sm3) {
    return fail(CryptoError::bad_parameter, "no signature over " + std::string{name_of(hash)} + " is taken");
  }
  if (digest.size() != digest_size(hash)) {
    return fail(CryptoError::bad_parameter, "a " + std::string{name_of(hash)} + " digest has " +
                                                std::to_string(digest_size(hash)) + " bytes, not " +
                                                std::to_string(digest.size()));
  }
  const detail::QueueCleaner cleaner;
  if (scheme_holds(*impl_, scheme, hash, digest, signature)) return {};
  return does_not_verify(impl_->kind);
}

}  // namespace coffer::crypto

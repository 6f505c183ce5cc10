#include "crypto/detail/issuing.h"

#include <openssl/rsa.h>

#include "crypto/detail/algorithms.h"
#include "crypto/detail/key_impl.h"

namespace coffer::crypto::detail {
namespace {

const EVP_MD* signing_digest(KeyKind kind, bool rsa_pss) {
  switch (kind) {
    case KeyKind::ec_p384: return digest(HashAlgorithm::sha384);
    case KeyKind::ec_p521: return digest(HashAlgorithm::sha512);
    case KeyKind::ed25519: return nullptr;  // it hashes by itself
    default: return digest(rsa_pss ? HashAlgorithm::sha384 : HashAlgorithm::sha256);
  }
}

}  // namespace

Result<> check_issuer(const Issuer& issuer) {
  if (!issuer.certificate.is_ca()) {
    return fail(CryptoError::bad_certificate, "'" + issuer.certificate.subject() + "' is no CA and cannot issue");
  }
  if (!(TRY(issuer.certificate.public_key()) == issuer.key.public_key())) {
    return fail(CryptoError::bad_key, "the key is not the one of '" + issuer.certificate.subject() + "'");
  }
  return {};
}

Result<DigestContext> signing_context(const PrivateKey& signer, bool rsa_pss) {
  if (rsa_pss && signer.kind() != KeyKind::rsa) {
    return fail(CryptoError::bad_parameter, "a key of kind " + std::string{name_of(signer.kind())} + " has no PSS");
  }
  DigestContext context{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* parameters = nullptr;
  if (!context || EVP_DigestSignInit(context.get(), &parameters, signing_digest(signer.kind(), rsa_pss), nullptr,
                                     signer.impl().pkey.get()) != 1) {
    return openssl_fail(CryptoError::internal, "the key does not sign");
  }
  if (rsa_pss && (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return openssl_fail(CryptoError::internal, "the key does not sign by PSS");
  }
  return context;
}

}  // namespace coffer::crypto::detail

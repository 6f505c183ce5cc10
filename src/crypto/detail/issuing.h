// What the issuing of certificates and of revocation lists have in common. For the .cpp files of crypto alone.
#pragma once

#include "crypto/detail/openssl.h"
#include "crypto/x509.h"

namespace coffer::crypto::detail {

// bad_certificate where the issuer is no CA, bad_key where its key is not the certificate's.
Result<> check_issuer(const Issuer& issuer);

// Ready for X509_sign_ctx: SHA-256, -384, -512 by the curve, SHA-256 for PKCS#1 v1.5, and SHA-384 with a salt as long
// for PSS. bad_parameter where `rsa_pss` is asked of a key that is no RSA key.
Result<DigestContext> signing_context(const PrivateKey& signer, bool rsa_pss);

}  // namespace coffer::crypto::detail

#include "crypto/detail/crl_impl.h"

#include <openssl/rsa.h>

#include <algorithm>
#include <array>

namespace coffer::crypto::detail {
namespace {

constexpr std::array strong_digests = {NID_sha256, NID_sha384, NID_sha512};

// RFC 4055 section 3.1: what is left out means SHA-1.
int pss_digest(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* oid = nullptr;
  int type = 0;
  const void* value = nullptr;
  X509_ALGOR_get0(&oid, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return NID_sha1;
  const Handle<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free> parameters{static_cast<RSA_PSS_PARAMS*>(
      ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), ASN1_ITEM_rptr(RSA_PSS_PARAMS)))};
  if (!parameters || parameters->hashAlgorithm == nullptr) return NID_sha1;
  const ASN1_OBJECT* hash = nullptr;
  X509_ALGOR_get0(&hash, nullptr, nullptr, parameters->hashAlgorithm);
  return OBJ_obj2nid(hash);
}

}  // namespace

Result<> check_crl_digest(const X509_CRL* crl) {
  const QueueCleaner cleaner;
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_CRL_get0_signature(crl, &signature, &algorithm);
  const int nid = X509_CRL_get_signature_nid(crl);
  int digest = NID_undef;
  int key = NID_undef;
  if (nid == NID_ED25519) return {};
  if (nid == NID_rsassaPss) {
    digest = pss_digest(algorithm);
  } else {
    OBJ_find_sigid_algs(nid, &digest, &key);
  }
  if (std::ranges::find(strong_digests, digest) != strong_digests.end()) return {};
  const char* name = OBJ_nid2ln(digest != NID_undef ? digest : nid);
  return fail(CryptoError::untrusted, "the CRL of '" + name_text(X509_CRL_get_issuer(crl)) + "' is signed over " +
                                          (name != nullptr ? name : "an unknown digest") + ", which is too weak");
}

}  // namespace coffer::crypto::detail

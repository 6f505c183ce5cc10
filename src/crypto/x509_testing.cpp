#include "crypto/x509_testing.h"

#include "crypto/detail/key_impl.h"

namespace coffer::crypto::testing_pki {

Party make_root(const std::string& name, KeyKind kind) {
  auto key = PrivateKey::generate(kind).value();
  auto certificate = self_sign(request(name, true), key).value();
  return {std::move(key), std::move(certificate)};
}

Party make_child(const Party& issuer, const CertificateRequest& wanted, KeyKind kind) {
  auto key = PrivateKey::generate(kind).value();
  auto certificate = issue(wanted, key.public_key(), issuer.issuer()).value();
  return {std::move(key), std::move(certificate)};
}

Certificate remade(const Certificate& original, const Party& signer, const std::function<void(X509*)>& change,
                   const EVP_MD* digest) {
  detail::X509Ptr x509{X509_dup(original.impl().x509.get())};
  change(x509.get());
  X509_sign(x509.get(), signer.key.impl().pkey.get(), digest);
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(x509.get(), &encoded);
  auto certificate = Certificate::from_der({reinterpret_cast<std::byte*>(encoded), static_cast<std::size_t>(size)});
  OPENSSL_free(encoded);
  return certificate.value();
}

Bytes make_crl(const Party& issuer, std::span<const Certificate> revoked, TimePoint from) {
  const detail::X509CrlPtr crl{X509_CRL_new()};
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate.impl().x509.get()));
  const detail::Handle<ASN1_TIME, ASN1_TIME_free> this_update{ASN1_TIME_set(nullptr, to_unix_seconds(from))};
  const detail::Handle<ASN1_TIME, ASN1_TIME_free> next_update{ASN1_TIME_set(nullptr, to_unix_seconds(from + 24h * 30))};
  X509_CRL_set1_lastUpdate(crl.get(), this_update.get());
  X509_CRL_set1_nextUpdate(crl.get(), next_update.get());
  for (const auto& certificate : revoked) {
    detail::Handle<X509_REVOKED, X509_REVOKED_free> entry{X509_REVOKED_new()};
    X509_REVOKED_set_serialNumber(entry.get(), X509_get_serialNumber(certificate.impl().x509.get()));
    X509_REVOKED_set_revocationDate(entry.get(), this_update.get());
    X509_CRL_add0_revoked(crl.get(), entry.release());
  }
  X509_CRL_sort(crl.get());
  X509_CRL_sign(crl.get(), issuer.key.impl().pkey.get(), EVP_sha256());
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_CRL(crl.get(), &encoded);
  const auto* first = reinterpret_cast<std::byte*>(encoded);
  Bytes der(first, first + size);
  OPENSSL_free(encoded);
  return der;
}

}  // namespace coffer::crypto::testing_pki

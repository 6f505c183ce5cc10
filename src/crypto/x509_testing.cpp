#include "crypto/x509_testing.h"

#include "crypto/crl.h"
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
  CrlRequest wanted{.this_update = from, .next_update = from + 24h * 30};
  for (const auto& certificate : revoked) wanted.serial_numbers.push_back(certificate.serial_number());
  return issue_crl(wanted, issuer.issuer()).value().der();
}

Bytes altered_crl(const Party& issuer, ByteView der, const std::function<void(X509_CRL*)>& change,
                  const EVP_MD* digest) {
  const auto* cursor = detail::data_of(der);
  const detail::X509CrlPtr crl{d2i_X509_CRL(nullptr, &cursor, static_cast<long>(der.size()))};
  change(crl.get());
  X509_CRL_sign(crl.get(), issuer.key.impl().pkey.get(), digest);
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_CRL(crl.get(), &encoded);
  return detail::take_encoding(encoded, size);
}

}  // namespace coffer::crypto::testing_pki

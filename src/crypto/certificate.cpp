#include <openssl/pem.h>

#include "crypto/detail/key_impl.h"
#include "crypto/detail/pem_block.h"
#include "crypto/detail/x509_impl.h"
#include "crypto/hash.h"

namespace coffer::crypto {
namespace {

constexpr std::size_t largest_pem = 4U << 20;
constexpr std::size_t most_certificates = 64;

Bytes encode(X509* x509) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(x509, &encoded);
  return detail::take_encoding(encoded, size);
}

// One certificate at the head of `der`, which may be longer, and its size in `used`.
Result<detail::X509Ptr> read_one(ByteView der, std::size_t& used) {
  const auto* const begin = detail::data_of(der);
  const auto* cursor = begin;
  detail::X509Ptr x509{d2i_X509(nullptr, &cursor, static_cast<long>(der.size()))};
  if (!x509) return detail::openssl_fail(CryptoError::bad_certificate, "not a DER certificate");
  used = static_cast<std::size_t>(cursor - begin);
  return x509;
}

Result<Certificate> finish(detail::X509Ptr x509, ByteView der) {
  TRY(detail::check_unique(X509_get0_extensions(x509.get())));
  auto certificate = TRY(detail::adopt_certificate(std::move(x509)));
  // OpenSSL takes BER. One certificate must not have two encodings, or fingerprints mean nothing (X.690 section 10).
  if (!equal(certificate.der(), der)) return fail(CryptoError::bad_certificate, "the certificate is BER, not DER");
  return certificate;
}

}  // namespace

namespace detail {

Result<Certificate> adopt_certificate(X509Ptr x509) {
  const QueueCleaner cleaner;
  // Makes OpenSSL read the extensions now; what is wrong with them is judged when a chain is verified.
  X509_check_purpose(x509.get(), -1, 0);
  const auto not_before = TRY(to_time(X509_get0_notBefore(x509.get()), "notBefore"));
  const auto not_after = TRY(to_time(X509_get0_notAfter(x509.get()), "notAfter"));
  auto der = encode(x509.get());
  return Certificate(std::make_shared<const Certificate::Impl>(
      Certificate::Impl{std::move(x509), std::move(der), not_before, not_after}));
}

}  // namespace detail

Certificate::Certificate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Result<Certificate> Certificate::from_der(ByteView der) {
  std::size_t used = 0;
  auto x509 = TRY(read_one(der, used));
  if (used != der.size()) {
    return fail(CryptoError::bad_certificate, std::to_string(der.size() - used) + " bytes follow the certificate");
  }
  return finish(std::move(x509), der);
}

Result<std::vector<Certificate>> Certificate::chain_from_der(ByteView ders) {
  std::vector<Certificate> chain;
  do {
    if (chain.size() == most_certificates) {
      return fail(CryptoError::bad_certificate, "over 64 certificates one after the other");
    }
    std::size_t used = 0;
    auto x509 = TRY(read_one(ders, used));
    chain.push_back(TRY(finish(std::move(x509), ders.first(used))));
    ders = ders.subspan(used);
  } while (!ders.empty());
  return chain;
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  return TRY(chain_from_pem(pem))
  .front();
}

Result<std::vector<Certificate>> Certificate::chain_from_pem(std::string_view pem) {
  if (pem.size() > largest_pem) return fail(CryptoError::bad_certificate, "PEM certificates over 4 MiB");
  std::vector<Certificate> chain;
  const auto bio = detail::reading_bio(as_bytes(pem));
  while (true) {
    const auto next = detail::next_pem_block(bio.get());
    if (!next) return fail(CryptoError::bad_certificate, next.error().message);
    const auto& block = *next;
    if (!block) break;
    if (block->label != "CERTIFICATE") continue;
    if (chain.size() == most_certificates)
      return fail(CryptoError::bad_certificate, "over 64 certificates in one file");
    chain.push_back(TRY(from_der(block->content.expose())));
  }
  if (chain.empty()) return fail(CryptoError::bad_certificate, "no '-----BEGIN CERTIFICATE-----' was found");
  return chain;
}

const Bytes& Certificate::der() const {
  return impl_->der;
}

std::string Certificate::to_pem() const {
  const detail::BioPtr bio{BIO_new(BIO_s_mem())};
  if (!bio || PEM_write_bio_X509(bio.get(), impl_->x509.get()) != 1) detail::openssl_broken("a PEM encoder");
  return detail::take_text(bio.get());
}

std::string Certificate::subject() const {
  return detail::name_text(X509_get_subject_name(impl_->x509.get()));
}

std::string Certificate::issuer() const {
  return detail::name_text(X509_get_issuer_name(impl_->x509.get()));
}

Bytes Certificate::subject_der() const {
  return detail::name_der(X509_get_subject_name(impl_->x509.get()));
}

Bytes Certificate::issuer_der() const {
  return detail::name_der(X509_get_issuer_name(impl_->x509.get()));
}

TimePoint Certificate::not_before() const {
  return impl_->not_before;
}

TimePoint Certificate::not_after() const {
  return impl_->not_after;
}

bool Certificate::is_ca() const {
  const auto flags = X509_get_extension_flags(impl_->x509.get());
  return (flags & EXFLAG_INVALID) == 0 && (flags & EXFLAG_BCONS) != 0 && (flags & EXFLAG_CA) != 0;
}

Result<PublicKey> Certificate::public_key() const {
  detail::Pkey pkey{X509_get_pubkey(impl_->x509.get())};
  if (!pkey)
    return detail::openssl_fail(CryptoError::bad_key, "the key of certificate '" + subject() + "' is unusable");
  return detail::adopt_public(std::move(pkey));
}

Bytes Certificate::sha256_fingerprint() const {
  return sha256(impl_->der);
}

}  // namespace coffer::crypto

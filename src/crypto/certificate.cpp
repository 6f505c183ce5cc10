#include <openssl/pem.h>

#include <ctime>

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
  if (size <= 0) return {};
  const auto* first = reinterpret_cast<const std::byte*>(encoded);
  Bytes out(first, first + size);
  OPENSSL_free(encoded);
  return out;
}

Result<TimePoint> to_time(const ASN1_TIME* time, std::string_view what) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return detail::openssl_fail(CryptoError::bad_certificate, "a malformed " + std::string{what});
  }
  return from_unix_seconds(::timegm(&parts));
}

struct ObjectReleaser {
  void operator()(ASN1_OBJECT* object) const { ASN1_OBJECT_free(object); }
};

}  // namespace

namespace detail {

std::string name_text(const X509_NAME* name) {
  const BioPtr bio{BIO_new(BIO_s_mem())};
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) {
    ERR_clear_error();
    return "(unprintable name)";
  }
  return take_text(bio.get());
}

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
  const auto* cursor = detail::data_of(der);
  const auto* end = cursor + der.size();
  detail::X509Ptr x509{d2i_X509(nullptr, &cursor, static_cast<long>(der.size()))};
  if (!x509) return detail::openssl_fail(CryptoError::bad_certificate, "not a DER certificate");
  if (cursor != end) {
    return fail(CryptoError::bad_certificate, std::to_string(end - cursor) + " bytes follow the certificate");
  }
  auto certificate = TRY(detail::adopt_certificate(std::move(x509)));
  // OpenSSL takes BER. One certificate must not have two encodings, or fingerprints mean nothing (X.690 section 10).
  if (!equal(certificate.der(), der)) return fail(CryptoError::bad_certificate, "the certificate is BER, not DER");
  return certificate;
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

std::optional<Bytes> Certificate::extension(std::string_view dotted_oid) const {
  const detail::QueueCleaner cleaner;
  const std::unique_ptr<ASN1_OBJECT, ObjectReleaser> oid{OBJ_txt2obj(std::string{dotted_oid}.c_str(), 1)};
  const int index = oid ? X509_get_ext_by_OBJ(impl_->x509.get(), oid.get(), -1) : -1;
  if (index < 0) return std::nullopt;
  const auto* value = X509_EXTENSION_get_data(X509_get_ext(impl_->x509.get(), index));
  const auto* data = reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(value));
  return Bytes(data, data + ASN1_STRING_length(value));
}

}  // namespace coffer::crypto

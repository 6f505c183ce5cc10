#include "crypto/crl.h"

#include <algorithm>
#include <array>

#include "crypto/detail/crl_impl.h"
#include "crypto/detail/key_impl.h"
#include "crypto/detail/pem_block.h"

namespace coffer::crypto {
namespace {

constexpr std::size_t largest_crl = 16U << 20;

using KeyId = detail::Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free>;
using Number = detail::Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using DistributionPoint = detail::Handle<ISSUING_DIST_POINT, ISSUING_DIST_POINT_free>;

std::unexpected<Error> refused(std::string message) {
  return detail::openssl_fail(CryptoError::bad_certificate, std::move(message));
}

bool has(const X509_CRL* crl, int nid) {
  return X509_CRL_get_ext_by_NID(crl, nid, -1) >= 0;
}

template <class T>
T read(const X509_CRL* crl, int nid) {
  return T{static_cast<typename T::element_type*>(X509_CRL_get_ext_d2i(crl, nid, nullptr, nullptr))};
}

// RFC 5280 section 5.2.4 and 5.2.5: what makes a list say less than "all that I have revoked".
Result<> check_complete(const X509_CRL* crl) {
  if (has(crl, NID_delta_crl)) return refused("a delta CRL, which is no complete list");
  if (!has(crl, NID_issuing_distribution_point)) return {};
  const auto point = read<DistributionPoint>(crl, NID_issuing_distribution_point);
  if (!point) return refused("a CRL with a malformed issuingDistributionPoint");
  if (point->indirectCRL > 0) return refused("an indirect CRL, which lists certificates of others");
  if (point->onlysomereasons != nullptr) return refused("a CRL for some reasons only");
  return {};
}

// RFC 5280 section 5.2 and 5.3: a list with a critical extension that one cannot process decides nothing.
Result<> check_extensions(const STACK_OF(X509_EXTENSION) * extensions, std::span<const int> understood) {
  TRY(detail::check_unique(extensions));
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) {
    auto* extension = sk_X509_EXTENSION_value(extensions, i);
    const auto* oid = X509_EXTENSION_get_object(extension);
    if (X509_EXTENSION_get_critical(extension) == 0) continue;
    if (std::ranges::find(understood, OBJ_obj2nid(oid)) != understood.end()) continue;
    return refused("a CRL with the critical extension " + detail::dotted(oid) + ", which is not understood");
  }
  return {};
}

Result<> check_all_extensions(X509_CRL* crl) {
  constexpr std::array understood = {NID_issuing_distribution_point, NID_authority_key_identifier, NID_crl_number};
  TRY(check_extensions(X509_CRL_get0_extensions(crl), understood));
  const auto* entries = X509_CRL_get_REVOKED(crl);
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    TRY(check_extensions(X509_REVOKED_get0_extensions(sk_X509_REVOKED_value(entries, i)), {}));
  }
  return {};
}

Bytes encode(X509_CRL* crl) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_CRL(crl, &encoded);
  return detail::take_encoding(encoded, size);
}

}  // namespace

Crl::Crl(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Result<Crl> Crl::from_der(ByteView der) {
  const detail::QueueCleaner cleaner;
  if (der.size() > largest_crl) return refused("a CRL over 16 MiB");
  const auto* cursor = detail::data_of(der);
  const auto* end = cursor + der.size();
  detail::X509CrlPtr crl{d2i_X509_CRL(nullptr, &cursor, static_cast<long>(der.size()))};
  if (!crl) return refused("not a DER CRL");
  if (cursor != end) return refused(std::to_string(end - cursor) + " bytes follow the CRL");
  TRY(check_complete(crl.get()));
  TRY(check_all_extensions(crl.get()));
  if (X509_CRL_get0_nextUpdate(crl.get()) == nullptr) return refused("a CRL without nextUpdate never grows old");
  const auto this_update = TRY(detail::to_time(X509_CRL_get0_lastUpdate(crl.get()), "thisUpdate"));
  const auto next_update = TRY(detail::to_time(X509_CRL_get0_nextUpdate(crl.get()), "nextUpdate"));
  auto own = encode(crl.get());
  if (!equal(own, der)) return refused("the CRL is BER, not DER");
  return Crl(std::make_shared<const Impl>(Impl{std::move(crl), std::move(own), this_update, next_update}));
}

Result<Crl> Crl::from_pem(std::string_view pem) {
  if (pem.size() > 2 * largest_crl) return refused("a PEM CRL over 32 MiB");
  const auto bio = detail::reading_bio(as_bytes(pem));
  while (true) {
    const auto block = detail::next_pem_block(bio.get());
    if (!block) return fail(CryptoError::bad_certificate, block.error().message);
    if (!*block) return refused("no '-----BEGIN X509 CRL-----' was found");
    if ((*block)->label == "X509 CRL") return from_der((*block)->content.expose());
  }
}

Result<Crl> Crl::parse(ByteView text) {
  const bool is_der = !text.empty() && text[0] == std::byte{0x30};
  return is_der ? from_der(text) : from_pem(as_text(text));
}

const Bytes& Crl::der() const {
  return impl_->der;
}

std::string Crl::issuer() const {
  return detail::name_text(X509_CRL_get_issuer(impl_->crl.get()));
}

Bytes Crl::issuer_der() const {
  return detail::name_der(X509_CRL_get_issuer(impl_->crl.get()));
}

TimePoint Crl::this_update() const {
  return impl_->this_update;
}

TimePoint Crl::next_update() const {
  return impl_->next_update;
}

std::optional<Bytes> Crl::number() const {
  const detail::QueueCleaner cleaner;
  const auto number = read<Number>(impl_->crl.get(), NID_crl_number);
  return number ? std::optional{detail::magnitude(number.get())} : std::nullopt;
}

std::optional<Bytes> Crl::authority_key_id() const {
  const detail::QueueCleaner cleaner;
  const auto id = read<KeyId>(impl_->crl.get(), NID_authority_key_identifier);
  if (!id || id->keyid == nullptr) return std::nullopt;
  const auto* data = reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(id->keyid));
  return Bytes(data, data + ASN1_STRING_length(id->keyid));
}

std::size_t Crl::size() const {
  const int entries = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(impl_->crl.get()));
  return entries < 0 ? 0 : static_cast<std::size_t>(entries);
}

// Looked through in order: OpenSSL's own search sorts the list first, which no two threads may do at once.
bool Crl::lists(ByteView serial_number) const {
  const auto* entries = X509_CRL_get_REVOKED(impl_->crl.get());
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    const auto* serial = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i));
    if (equal(detail::magnitude(serial), serial_number)) return true;
  }
  return false;
}

Result<> Crl::verify(const Certificate& issuer, TimePoint at) const {
  const detail::QueueCleaner cleaner;
  const auto untrusted = [&](std::string_view why) {
    return fail(CryptoError::untrusted, "the CRL of '" + this->issuer() + "': " + std::string{why});
  };
  if (!equal(issuer_der(), issuer.subject_der())) return untrusted("it is not one of '" + issuer.subject() + "'");
  if (!issuer.allows(KeyUsage::crl_sign)) return untrusted("its issuer's keyUsage lacks cRLSign");
  const auto key = TRY(issuer.public_key());
  if (X509_CRL_verify(impl_->crl.get(), key.impl().pkey.get()) != 1) return untrusted("its signature does not verify");
  TRY(detail::check_crl_digest(impl_->crl.get()));
  if (at < impl_->this_update || at >= impl_->next_update) {
    return fail(CryptoError::not_valid_at_time,
                "the CRL of '" + this->issuer() + "' holds from " + format_rfc3339(impl_->this_update) + " to " +
                    format_rfc3339(impl_->next_update) + ", not at " + format_rfc3339(at));
  }
  return {};
}

}  // namespace coffer::crypto

// What a certificate says of itself, field by field.
#include <algorithm>

#include "crypto/detail/x509_impl.h"

namespace coffer::crypto {
namespace {

using ExtendedUsage = detail::Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;
using DistributionPoints = detail::Handle<CRL_DIST_POINTS, CRL_DIST_POINTS_free>;

Bytes octets(const ASN1_STRING* value) {
  const auto* data = reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(value));
  return {data, data + ASN1_STRING_length(value)};
}

std::optional<Bytes> optional_octets(const ASN1_STRING* value) {
  return value == nullptr ? std::nullopt : std::optional{octets(value)};
}

std::optional<std::string> utf8(const ASN1_STRING* value) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, value);
  if (size < 0) return std::nullopt;
  std::string out{reinterpret_cast<const char*>(text), static_cast<std::size_t>(size)};
  OPENSSL_free(text);
  return out;
}

void append_uris(const GENERAL_NAMES* names, std::vector<std::string>& out) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    int type = 0;
    const auto* value =
        static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
    if (type == GEN_URI) out.emplace_back(as_text(octets(value)));
  }
}

}  // namespace

std::optional<std::string> Certificate::subject_attribute(std::string_view dotted_oid) const {
  const detail::QueueCleaner cleaner;
  const auto oid = detail::object_of(dotted_oid);
  const auto* name = X509_get_subject_name(impl_->x509.get());
  const int index = oid ? X509_NAME_get_index_by_OBJ(name, oid.get(), -1) : -1;
  return index < 0 ? std::nullopt : utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
}

Bytes Certificate::serial_number() const {
  return detail::magnitude(X509_get0_serialNumber(impl_->x509.get()));
}

bool Certificate::allows(KeyUsage usage) const {
  const auto flags = X509_get_extension_flags(impl_->x509.get());
  if ((flags & EXFLAG_INVALID) != 0) return false;
  // OpenSSL keeps the bits of each octet of the BIT STRING in their order: bit 0 is 0x80.
  return (X509_get_key_usage(impl_->x509.get()) & (0x80U >> static_cast<unsigned>(usage))) != 0;
}

std::optional<std::vector<std::string>> Certificate::extended_key_usages() const {
  const detail::QueueCleaner cleaner;
  int state = 0;
  const ExtendedUsage usage{
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(impl_->x509.get(), NID_ext_key_usage, &state, nullptr))};
  if (!usage && state == -1) return std::nullopt;
  std::vector<std::string> out;
  for (int i = 0; usage && i < sk_ASN1_OBJECT_num(usage.get()); ++i) {
    out.push_back(detail::dotted(sk_ASN1_OBJECT_value(usage.get(), i)));
  }
  return out;
}

std::optional<Bytes> Certificate::subject_key_id() const {
  return optional_octets(X509_get0_subject_key_id(impl_->x509.get()));
}

std::optional<Bytes> Certificate::authority_key_id() const {
  return optional_octets(X509_get0_authority_key_id(impl_->x509.get()));
}

std::vector<std::string> Certificate::crl_uris() const {
  const detail::QueueCleaner cleaner;
  const DistributionPoints points{static_cast<CRL_DIST_POINTS*>(
      X509_get_ext_d2i(impl_->x509.get(), NID_crl_distribution_points, nullptr, nullptr))};
  std::vector<std::string> out;
  for (int i = 0; points && i < sk_DIST_POINT_num(points.get()); ++i) {
    const auto* where = sk_DIST_POINT_value(points.get(), i)->distpoint;
    if (where != nullptr && where->type == 0) append_uris(where->name.fullname, out);
  }
  return out;
}

std::vector<CertificateExtension> Certificate::extensions() const {
  std::vector<CertificateExtension> out;
  for (int i = 0; i < X509_get_ext_count(impl_->x509.get()); ++i) {
    auto* extension = X509_get_ext(impl_->x509.get(), i);
    out.push_back({.oid = detail::dotted(X509_EXTENSION_get_object(extension)),
                   .critical = X509_EXTENSION_get_critical(extension) != 0,
                   .value = octets(X509_EXTENSION_get_data(extension))});
  }
  return out;
}

std::optional<Bytes> Certificate::extension(std::string_view dotted_oid) const {
  const detail::QueueCleaner cleaner;
  const auto oid = detail::object_of(dotted_oid);
  const int index = oid ? X509_get_ext_by_OBJ(impl_->x509.get(), oid.get(), -1) : -1;
  if (index < 0) return std::nullopt;
  return octets(X509_EXTENSION_get_data(X509_get_ext(impl_->x509.get(), index)));
}

}  // namespace coffer::crypto

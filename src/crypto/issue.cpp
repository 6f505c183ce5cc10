// The few certificates that we make: a broker's token signer, test authorities, TLS for a laptop.
#include <algorithm>

#include "crypto/detail/issuing.h"
#include "crypto/detail/key_impl.h"
#include "crypto/detail/x509_impl.h"
#include "crypto/random.h"

namespace coffer::crypto {
namespace {

constexpr int critical = 1;
// 1950-01-01 and 9999-12-31, what UTCTime and GeneralizedTime can say (RFC 5280 section 4.1.2.5).
constexpr std::int64_t earliest = -631'152'000;
constexpr std::int64_t latest = 253'402'300'799;

std::unexpected<Error> failed(std::string_view what) {
  return detail::openssl_fail(CryptoError::internal, std::string{what} + " cannot be put into the certificate");
}

Result<> check_request(const CertificateRequest& request) {
  if (request.common_name.empty() || request.common_name.size() > 64) {
    return fail(CryptoError::bad_parameter,
                "a common name has 1 to 64 bytes, not " + std::to_string(request.common_name.size()));
  }
  if (request.not_after <= request.not_before) {
    return fail(CryptoError::bad_parameter, "a certificate must end after it begins");
  }
  if (to_unix_seconds(request.not_before) < earliest || to_unix_seconds(request.not_after) > latest) {
    return fail(CryptoError::bad_parameter, "a certificate's validity lies between 1950 and 9999");
  }
  return {};
}

// RFC 5280 section 4.1.2.2: positive, at most 20 octets. 128 random bits below a leading one where none is asked for.
Result<> set_serial(X509* x509, Bytes serial) {
  if (serial.size() > 20) {
    return fail(CryptoError::bad_parameter,
                "a serial number has at most 20 bytes, not " + std::to_string(serial.size()));
  }
  if (serial.empty()) {
    serial = system_random().bytes(17);
    serial[0] = std::byte{1};
  }
  const detail::BignumPtr number{
      BN_bin2bn(detail::data_of(ByteView{serial}), static_cast<int>(serial.size()), nullptr)};
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) == nullptr)
    return failed("a serial number");
  return {};
}

Result<detail::ObjectPtr> oid_of(const std::string& dotted) {
  auto oid = detail::object_of(dotted);
  if (!oid) return detail::openssl_fail(CryptoError::bad_parameter, "'" + dotted + "' is no OID");
  return oid;
}

Result<> add_attribute(X509* x509, const NameAttribute& attribute) {
  const auto oid = TRY(oid_of(attribute.oid));
  if (X509_NAME_add_entry_by_OBJ(X509_get_subject_name(x509), oid.get(), MBSTRING_UTF8,
                                 detail::data_of(as_bytes(attribute.value)), static_cast<int>(attribute.value.size()),
                                 -1, 0) == 1) {
    return {};
  }
  return detail::openssl_fail(CryptoError::bad_parameter,
                              "'" + attribute.value + "' cannot be the attribute " + attribute.oid + " of a name");
}

Result<> set_subject(X509* x509, const CertificateRequest& request) {
  for (const auto& attribute : request.subject) TRY(add_attribute(x509, attribute));
  const auto& common_name = request.common_name;
  if (X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_commonName, MBSTRING_UTF8,
                                 detail::data_of(as_bytes(common_name)), static_cast<int>(common_name.size()), -1,
                                 0) == 1) {
    return {};
  }
  return detail::openssl_fail(CryptoError::bad_parameter, "'" + common_name + "' cannot be a common name");
}

Result<> set_times(X509* x509, const CertificateRequest& request) {
  // ASN1_TIME_set picks UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 wants it.
  if (ASN1_TIME_set(X509_getm_notBefore(x509), to_unix_seconds(request.not_before)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(x509), to_unix_seconds(request.not_after)) == nullptr) {
    return failed("a validity");
  }
  return {};
}

Result<> add_extension(X509* x509, int nid, void* value, int criticality) {
  if (X509_add1_ext_i2d(x509, nid, value, criticality, X509V3_ADD_APPEND) == 1) return {};
  return failed(OBJ_nid2sn(nid));
}

std::vector<KeyUsage> usages_of(const CertificateRequest& request) {
  if (!request.usages.empty()) return request.usages;
  if (!request.is_ca) return {KeyUsage::digital_signature};
  return {KeyUsage::digital_signature, KeyUsage::key_cert_sign, KeyUsage::crl_sign};
}

Result<> add_constraints(X509* x509, const CertificateRequest& request) {
  const detail::Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free> constraints{BASIC_CONSTRAINTS_new()};
  const detail::Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free> usage{ASN1_BIT_STRING_new()};
  if (!constraints || !usage) return failed("basicConstraints");
  constraints->ca = request.is_ca ? 0xff : 0;
  for (const auto bit : usages_of(request)) ASN1_BIT_STRING_set_bit(usage.get(), static_cast<int>(bit), 1);
  TRY(add_extension(x509, NID_basic_constraints, constraints.get(), critical));
  return add_extension(x509, NID_key_usage, usage.get(), critical);
}

// RFC 7093 section 2, method 1: the leftmost 160 bits of SHA-256 over the key's bit string.
Bytes key_identifier(X509* x509) {
  const auto* key = X509_get0_pubkey_bitstr(x509);
  auto digest = sha256({reinterpret_cast<const std::byte*>(key->data), static_cast<std::size_t>(key->length)});
  digest.resize(20);
  return digest;
}

Result<> add_key_identifiers(X509* x509, X509* issuer) {
  const detail::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> own{ASN1_OCTET_STRING_new()};
  const auto identifier = key_identifier(x509);
  if (!own || ASN1_OCTET_STRING_set(own.get(), detail::data_of(identifier), static_cast<int>(identifier.size())) != 1) {
    return failed("a key identifier");
  }
  TRY(add_extension(x509, NID_subject_key_identifier, own.get(), 0));
  const auto* authority = issuer == nullptr ? own.get() : X509_get0_subject_key_id(issuer);
  if (authority == nullptr) return {};
  const detail::Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free> holder{AUTHORITY_KEYID_new()};
  if (holder) holder->keyid = ASN1_OCTET_STRING_dup(authority);
  if (!holder || holder->keyid == nullptr) return failed("the authority's key identifier");
  return add_extension(x509, NID_authority_key_identifier, holder.get(), 0);
}

using GeneralName = detail::Handle<GENERAL_NAME, GENERAL_NAME_free>;

Result<GeneralName> dns_name(const std::string& text) {
  const bool plain =
      !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  GeneralName name{GENERAL_NAME_new()};
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  if (!plain || !name || value == nullptr || ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) != 1) {
    ASN1_IA5STRING_free(value);
    return detail::openssl_fail(CryptoError::bad_parameter, "'" + text + "' is no DNS name");
  }
  GENERAL_NAME_set0_value(name.get(), GEN_DNS, value);
  return name;
}

Result<GeneralName> ip_name(const std::string& text) {
  GeneralName name{GENERAL_NAME_new()};
  ASN1_OCTET_STRING* value = a2i_IPADDRESS(text.c_str());
  if (!name || value == nullptr) {
    ASN1_OCTET_STRING_free(value);
    return detail::openssl_fail(CryptoError::bad_parameter, "'" + text + "' is no IP address");
  }
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, value);
  return name;
}

// The stack takes the name.
Result<> push_name(GENERAL_NAMES* names, GeneralName name) {
  if (sk_GENERAL_NAME_push(names, name.get()) <= 0) return failed("a name");
  [[maybe_unused]] auto* taken = name.release();
  return {};
}

Result<> add_names(X509* x509, const CertificateRequest& request) {
  if (request.dns_names.empty() && request.ip_addresses.empty()) return {};
  const detail::Handle<GENERAL_NAMES, GENERAL_NAMES_free> names{sk_GENERAL_NAME_new_null()};
  for (const auto& text : request.dns_names) {
    TRY(push_name(names.get(), TRY(dns_name(text))));
  }
  for (const auto& text : request.ip_addresses) {
    TRY(push_name(names.get(), TRY(ip_name(text))));
  }
  return add_extension(x509, NID_subject_alt_name, names.get(), 0);
}

Result<> add_purposes(X509* x509, const std::vector<std::string>& purposes) {
  if (purposes.empty()) return {};
  const detail::Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free> usage{sk_ASN1_OBJECT_new_null()};
  for (const auto& purpose : purposes) {
    auto oid = TRY(oid_of(purpose));
    if (sk_ASN1_OBJECT_push(usage.get(), oid.get()) <= 0) return failed("a purpose");
    [[maybe_unused]] auto* taken = oid.release();
  }
  return add_extension(x509, NID_ext_key_usage, usage.get(), 0);
}

Result<> add_further(X509* x509, const std::vector<CertificateExtension>& extensions) {
  for (const auto& extension : extensions) {
    const auto oid = TRY(oid_of(extension.oid));
    const detail::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value{ASN1_OCTET_STRING_new()};
    if (!value || ASN1_OCTET_STRING_set(value.get(), detail::data_of(ByteView{extension.value}),
                                        static_cast<int>(extension.value.size())) != 1) {
      return failed("an extension");
    }
    const detail::Handle<X509_EXTENSION, X509_EXTENSION_free> made{
        X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), extension.critical ? 1 : 0, value.get())};
    if (!made || X509_add_ext(x509, made.get(), -1) != 1) return failed("an extension");
  }
  return {};
}

// issuer: null for a certificate that signs itself.
Result<Certificate> make(const CertificateRequest& request, const PublicKey& subject_key, X509* issuer,
                         const PrivateKey& signer) {
  TRY(check_request(request));
  detail::X509Ptr x509{X509_new()};
  if (!x509 || X509_set_version(x509.get(), X509_VERSION_3) != 1) return failed("a version");
  TRY(set_serial(x509.get(), request.serial_number));
  TRY(set_subject(x509.get(), request));
  TRY(set_times(x509.get(), request));
  if (X509_set_issuer_name(x509.get(), X509_get_subject_name(issuer != nullptr ? issuer : x509.get())) != 1 ||
      X509_set_pubkey(x509.get(), subject_key.impl().pkey.get()) != 1) {
    return failed("a key or issuer");
  }
  TRY(add_constraints(x509.get(), request));
  TRY(add_key_identifiers(x509.get(), issuer));
  TRY(add_names(x509.get(), request));
  TRY(add_purposes(x509.get(), request.purposes));
  TRY(add_further(x509.get(), request.extensions));
  const auto context = TRY(detail::signing_context(signer, request.rsa_pss));
  if (X509_sign_ctx(x509.get(), context.get()) <= 0) return failed("a signature");
  // Read back, so that what others get is what a parser sees.
  return Certificate::from_der(TRY(detail::adopt_certificate(std::move(x509))).der());
}

}  // namespace

Result<Certificate> self_sign(const CertificateRequest& request, const PrivateKey& key) {
  return make(request, key.public_key(), nullptr, key);
}

Result<Certificate> issue(const CertificateRequest& request, const PublicKey& subject_key, const Issuer& issuer) {
  TRY(detail::check_issuer(issuer));
  return make(request, subject_key, issuer.certificate.impl().x509.get(), issuer.key);
}

}  // namespace coffer::crypto

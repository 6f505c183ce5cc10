// The revocation lists that tests and the simulator issue.
#include "crypto/detail/crl_impl.h"
#include "crypto/detail/issuing.h"
#include "crypto/detail/key_impl.h"

namespace coffer::crypto {
namespace {

using Time = detail::Handle<ASN1_TIME, ASN1_TIME_free>;
using Number = detail::Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using Entry = detail::Handle<X509_REVOKED, X509_REVOKED_free>;
using KeyId = detail::Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free>;

std::unexpected<Error> failed(std::string_view what) {
  return detail::openssl_fail(CryptoError::internal, std::string{what} + " cannot be put into the CRL");
}

Result<> set_times(X509_CRL* crl, const CrlRequest& request) {
  if (request.next_update <= request.this_update) {
    return fail(CryptoError::bad_parameter, "a CRL must end after it begins");
  }
  const Time begin{ASN1_TIME_set(nullptr, to_unix_seconds(request.this_update))};
  const Time end{ASN1_TIME_set(nullptr, to_unix_seconds(request.next_update))};
  if (!begin || !end || X509_CRL_set1_lastUpdate(crl, begin.get()) != 1 ||
      X509_CRL_set1_nextUpdate(crl, end.get()) != 1) {
    return failed("a validity");
  }
  return {};
}

Result<> add_entry(X509_CRL* crl, ByteView serial_number) {
  if (serial_number.empty() || serial_number.size() > 20) {
    return fail(CryptoError::bad_parameter,
                "a serial number has 1 to 20 bytes, not " + std::to_string(serial_number.size()));
  }
  const detail::BignumPtr number{
      BN_bin2bn(detail::data_of(serial_number), static_cast<int>(serial_number.size()), nullptr)};
  const Number serial{number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr};
  Entry entry{X509_REVOKED_new()};
  if (!serial || !entry || X509_REVOKED_set_serialNumber(entry.get(), serial.get()) != 1 ||
      X509_REVOKED_set_revocationDate(entry.get(), const_cast<ASN1_TIME*>(X509_CRL_get0_lastUpdate(crl))) != 1 ||
      X509_CRL_add0_revoked(crl, entry.get()) != 1) {
    return failed("an entry");
  }
  [[maybe_unused]] auto* taken = entry.release();
  return {};
}

// RFC 5280 section 5.2.1 and 5.2.3.
Result<> add_extensions(X509_CRL* crl, const CrlRequest& request, const Issuer& issuer) {
  const Number number{ASN1_INTEGER_new()};
  if (!number || ASN1_INTEGER_set_uint64(number.get(), request.number) != 1 ||
      X509_CRL_add1_ext_i2d(crl, NID_crl_number, number.get(), 0, X509V3_ADD_APPEND) != 1) {
    return failed("its number");
  }
  const auto* authority = X509_get0_subject_key_id(issuer.certificate.impl().x509.get());
  if (authority == nullptr) return {};
  const KeyId id{AUTHORITY_KEYID_new()};
  if (id) id->keyid = ASN1_OCTET_STRING_dup(authority);
  if (!id || id->keyid == nullptr ||
      X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, id.get(), 0, X509V3_ADD_APPEND) != 1) {
    return failed("the issuer's key identifier");
  }
  return {};
}

}  // namespace

Result<Crl> issue_crl(const CrlRequest& request, const Issuer& issuer) {
  const detail::QueueCleaner cleaner;
  TRY(detail::check_issuer(issuer));
  const detail::X509CrlPtr crl{X509_CRL_new()};
  if (!crl || X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) != 1 ||
      X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate.impl().x509.get())) != 1) {
    return failed("an issuer");
  }
  TRY(set_times(crl.get(), request));
  for (const auto& serial_number : request.serial_numbers) TRY(add_entry(crl.get(), serial_number));
  TRY(add_extensions(crl.get(), request, issuer));
  X509_CRL_sort(crl.get());
  const auto context = TRY(detail::signing_context(issuer.key, request.rsa_pss));
  if (X509_CRL_sign_ctx(crl.get(), context.get()) <= 0) return failed("a signature");
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_CRL(crl.get(), &encoded);
  return Crl::from_der(detail::take_encoding(encoded, size));
}

}  // namespace coffer::crypto

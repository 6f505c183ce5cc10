// Certificate revocation lists (RFC 5280 section 5): read, judge one alone, and make the few that tests and the
// simulator issue. Chains are checked against them by verify_chain (crypto/x509.h).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/x509.h"

namespace coffer::crypto {

// A complete list of one issuer. Delta lists, indirect lists, lists for some reasons only, lists without nextUpdate and
// those with critical extensions that are not understood are refused: each would pass for a complete one that says
// less.
class Crl {
 public:
  // Exactly one list. All three fail with CryptoError::bad_certificate.
  static Result<Crl> from_der(ByteView der);
  static Result<Crl> from_pem(std::string_view pem);  // the first "X509 CRL" block
  static Result<Crl> parse(ByteView text);            // PEM or DER, by its first byte

  const Bytes& der() const;
  std::string issuer() const;  // RFC 2253 text
  Bytes issuer_der() const;
  TimePoint this_update() const;
  TimePoint next_update() const;
  std::optional<Bytes> number() const;  // cRLNumber, big-endian
  std::optional<Bytes> authority_key_id() const;
  std::size_t size() const;  // entries
  // Whether a serial number (as of Certificate::serial_number) is listed. It says nothing of who issued that
  // certificate, nor whether the list's scope (issuingDistributionPoint) has it.
  bool lists(ByteView serial_number) const;

  // That `issuer` made this list and that it holds at `at`: its name, keyUsage cRLSign, signature over SHA-2, times
  // (from this_update until before next_update). Whether `issuer` is trusted is for verify_chain to say. Errors:
  // untrusted, not_valid_at_time; bad_key where the issuer's key is none that we take.
  Result<> verify(const Certificate& issuer, TimePoint at) const;

  struct Impl;
  explicit Crl(std::shared_ptr<const Impl> impl);
  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

struct CrlRequest {
  TimePoint this_update;
  TimePoint next_update;
  std::vector<Bytes> serial_numbers{};  // revoked, big-endian
  std::uint64_t number = 1;
  bool rsa_pss = false;  // as in CertificateRequest
};
// Version 2 with cRLNumber and the issuer's key identifier. Errors as of issue().
Result<Crl> issue_crl(const CrlRequest& request, const Issuer& issuer);

}  // namespace coffer::crypto

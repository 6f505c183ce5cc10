// Certificates: parse, build chains to stated anchors at a stated time, and make the few that we issue.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crypto/keys.h"

namespace coffer::crypto {

class Certificate {
 public:
  // Exactly one certificate in DER. All three fail with CryptoError::bad_certificate.
  static Result<Certificate> from_der(ByteView der);
  // The first certificate of the text.
  static Result<Certificate> from_pem(std::string_view pem);
  // All certificates of a PEM file, in order; at least one, at most 64. Blocks of other kinds are passed over.
  static Result<std::vector<Certificate>> chain_from_pem(std::string_view pem);

  const Bytes& der() const;
  std::string to_pem() const;
  std::string subject() const;  // RFC 2253 text
  std::string issuer() const;
  TimePoint not_before() const;
  TimePoint not_after() const;
  bool is_ca() const;  // basicConstraints CA:TRUE
  Result<PublicKey> public_key() const;
  Bytes sha256_fingerprint() const;
  // The DER content of an extension's value by dotted OID, or nothing where it is absent.
  std::optional<Bytes> extension(std::string_view dotted_oid) const;

  struct Impl;
  explicit Certificate(std::shared_ptr<const Impl> impl);
  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

struct ChainOptions {
  TimePoint at;                              // the time of verification; never the wall clock by accident
  std::vector<Certificate> intermediates{};  // untrusted
  std::vector<Bytes> crls{};                 // DER; when given, every certificate of the chain is checked
  // Whether a certificate below the anchor that none of the CRLs covers is an error. Vendors differ: Intel publishes
  // a CRL for each level, AMD one that lists intermediates alone.
  bool require_crl = true;
  std::size_t max_depth = 8;  // certificates between leaf and anchor
};

// Builds and verifies a chain from `leaf` to one of `anchors` (RFC 5280 section 6): signatures, validity at
// `options.at`, CA bits, path length, critical extensions. Anchors are trusted as they are, self-signed or not.
// RSA under 2048 bits, curves under 224 bits and SHA-1 signatures are refused. Purposes (extended key usage) and names
// are the caller's to check. An anchor's own validity is checked too, its revocation is not.
// Returns the chain, leaf first. Errors: untrusted, not_valid_at_time, revoked, bad_certificate (also for a CRL that
// does not parse); the text names the subject of the certificate at fault.
Result<std::vector<Certificate>> verify_chain(const Certificate& leaf, std::span<const Certificate> anchors,
                                              const ChainOptions& options);

struct CertificateRequest {
  std::string common_name;  // 1 to 64 characters (RFC 5280 appendix A.1, ub-common-name)
  TimePoint not_before;
  TimePoint not_after;
  bool is_ca = false;
  std::vector<std::string> dns_names{};
  std::vector<std::string> ip_addresses{};
};

// An issuing certificate and its private key.
struct Issuer {
  const Certificate& certificate;
  const PrivateKey& key;
};
// Version 3 with a random serial number, basicConstraints, keyUsage, subject and authority key identifiers, and the
// names. bad_parameter for names or times out of range; bad_certificate where the issuer is no CA; bad_key where its
// key is not the certificate's.
Result<Certificate> self_sign(const CertificateRequest& request, const PrivateKey& key);
Result<Certificate> issue(const CertificateRequest& request, const PublicKey& subject_key, const Issuer& issuer);

}  // namespace coffer::crypto

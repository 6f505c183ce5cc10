// Certificates: parse, build chains to stated anchors at a stated time, and make the few that we issue. Revocation
// lists are in crypto/crl.h.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crypto/keys.h"

namespace coffer::crypto {

// The bits of RFC 5280 section 4.2.1.3.
enum class KeyUsage { digital_signature = 0, key_encipherment = 2, key_cert_sign = 5, crl_sign = 6 };

struct CertificateExtension {
  std::string oid;  // dotted
  bool critical = false;
  Bytes value{};  // the content of its OCTET STRING: usually DER
};

class Certificate {
 public:
  // Exactly one certificate in DER. These fail with CryptoError::bad_certificate.
  static Result<Certificate> from_der(ByteView der);
  // Certificates in DER one after the other, as SPDM and TPM stores keep them; at least one, at most 64.
  static Result<std::vector<Certificate>> chain_from_der(ByteView ders);
  // The first certificate of the text.
  static Result<Certificate> from_pem(std::string_view pem);
  // All certificates of a PEM file, in order; at least one, at most 64. Blocks of other kinds are passed over.
  static Result<std::vector<Certificate>> chain_from_pem(std::string_view pem);

  const Bytes& der() const;
  std::string to_pem() const;
  std::string subject() const;  // RFC 2253 text
  std::string issuer() const;
  // The names as they stand in the certificate, in DER: what to compare where a name must be another's.
  Bytes subject_der() const;
  Bytes issuer_der() const;
  // The first attribute of that type in the subject as UTF-8: "2.5.4.3" common name, "2.5.4.10" organisation,
  // "2.5.4.5" serial number. Nothing where it is absent or no text.
  std::optional<std::string> subject_attribute(std::string_view dotted_oid) const;
  // Big-endian without leading zeros; one zero byte for 0 (which AMD's VCEKs bear). The sign of a negative one,
  // which RFC 5280 section 4.1.2.2 forbids, is dropped.
  Bytes serial_number() const;
  TimePoint not_before() const;
  TimePoint not_after() const;
  bool is_ca() const;  // basicConstraints CA:TRUE
  // Whether keyUsage permits this: also where the extension is absent, never where it is malformed.
  bool allows(KeyUsage usage) const;
  // The purposes of extendedKeyUsage as dotted OIDs; nothing where the extension is absent, which permits all, and an
  // empty list where it is malformed.
  std::optional<std::vector<std::string>> extended_key_usages() const;
  std::optional<Bytes> subject_key_id() const;
  std::optional<Bytes> authority_key_id() const;
  // The URIs of cRLDistributionPoints, in order: a stranger's words, for choosing among known services at most.
  std::vector<std::string> crl_uris() const;
  Result<PublicKey> public_key() const;
  Bytes sha256_fingerprint() const;
  // All extensions in order. No OID is there twice (RFC 5280 section 4.2): such a certificate does not parse.
  std::vector<CertificateExtension> extensions() const;
  // The content of an extension's OCTET STRING by dotted OID, or nothing where it is absent.
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
  // a CRL for each level, AMD one that lists intermediates alone. Even where false, CRLs of which none covers any
  // certificate of the chain are an error: a list of another product line is no check.
  bool require_crl = true;
  std::size_t max_depth = 8;  // certificates between leaf and anchor
  // Dotted OIDs of critical extensions that the caller reads itself, in the certificates of the chain.
  std::vector<std::string> known_critical{};
  // When set, a dotted OID that the leaf's extendedKeyUsage must list by name, and so must every CA below the anchor
  // that has the extension ("2.23.133.8.1" for the certificate of a TPM's endorsement key).
  std::string purpose{};
};

// Builds and verifies a chain from `leaf` to one of `anchors` (RFC 5280 section 6): signatures, validity at
// `options.at`, CA bits, path length, critical extensions. Anchors are trusted as they are, self-signed or not.
// Keys that PublicKey does not take (RSA under 2048 bits, other curves) and SHA-1 signatures are refused. Names are the
// caller's to check, purposes too where `options.purpose` is empty. An anchor's own validity is checked too, its
// revocation is not. Returns the chain, leaf first. Errors: untrusted, not_valid_at_time, revoked, bad_certificate
// (also for a CRL that does not parse); the text names the subject of the certificate at fault.
Result<std::vector<Certificate>> verify_chain(const Certificate& leaf, std::span<const Certificate> anchors,
                                              const ChainOptions& options);

// One attribute of a name: "2.5.4.10" organisation, "2.5.4.11" unit, "2.5.4.6" country.
struct NameAttribute {
  std::string oid;  // dotted
  std::string value;
};

struct CertificateRequest {
  std::string common_name;  // 1 to 64 characters (RFC 5280 appendix A.1, ub-common-name)
  TimePoint not_before;
  TimePoint not_after;
  bool is_ca = false;
  std::vector<std::string> dns_names{};
  std::vector<std::string> ip_addresses{};
  std::vector<CertificateExtension> extensions{};  // added as they are, after our own
  std::vector<std::string> purposes{};             // extendedKeyUsage, as dotted OIDs
  Bytes serial_number{};                           // big-endian, at most 20 bytes; empty: random
  bool rsa_pss = false;                            // an RSA issuer signs by PSS with SHA-384, as AMD's do
  std::vector<NameAttribute> subject{};            // further attributes, each an RDN of its own, before the common name
  std::vector<KeyUsage> usages{};                  // empty: digitalSignature, and keyCertSign and cRLSign for a CA
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

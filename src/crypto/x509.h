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
  static Result<Certificate> from_der(ByteView der);
  static Result<Certificate> from_pem(std::string_view pem);
  // All certificates of a PEM file, in order; at least one.
  static Result<std::vector<Certificate>> chain_from_pem(std::string_view pem);

  const Bytes& der() const;
  std::string to_pem() const;
  std::string subject() const;   // RFC 2253 text
  std::string issuer() const;
  TimePoint not_before() const;
  TimePoint not_after() const;
  bool is_ca() const;            // basicConstraints CA:TRUE
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
  TimePoint at;                                 // the time of verification; never the wall clock by accident
  std::vector<Certificate> intermediates{};     // untrusted
  std::vector<Bytes> crls{};                    // DER; when given, every certificate of the chain is checked
  std::size_t max_depth = 8;
};

// Builds and verifies a chain from `leaf` to one of `anchors` (RFC 5280 section 6): signatures, validity at
// `options.at`, CA bits, path length, critical extensions. Anchors are trusted as they are, self-signed or not.
// Returns the chain, leaf first.
Result<std::vector<Certificate>> verify_chain(const Certificate& leaf, std::span<const Certificate> anchors,
                                              const ChainOptions& options);

struct CertificateRequest {
  std::string common_name;
  TimePoint not_before;
  TimePoint not_after;
  bool is_ca = false;
  std::vector<std::string> dns_names{};
  std::vector<std::string> ip_addresses{};
};

// Self-signed, or issued by `issuer` where it is given (its certificate and private key).
struct Issuer {
  const Certificate& certificate;
  const PrivateKey& key;
};
Result<Certificate> self_sign(const CertificateRequest& request, const PrivateKey& key);
Result<Certificate> issue(const CertificateRequest& request, const PublicKey& subject_key, const Issuer& issuer);

}  // namespace coffer::crypto

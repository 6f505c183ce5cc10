// The evidence document of SEV-SNP as upstream's guests send it:
// {"attestation_report": {...}, "cert_chain": null | [{"cert_type": "VCEK", "data": [48, 130, ...]}, ...]}
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "evidence/snp/report.h"

namespace coffer::evidence::snp {

// What the host's certificate table says of an entry (GHCB specification 56421, section 4.1.8.1). Unauthenticated.
enum class CertificateType { ark, ask, vcek, vlek, crl, other };
std::string_view name_of(CertificateType type);  // "ARK", ..., "OTHER"

struct CertificateEntry {
  CertificateType type;
  Bytes data;  // DER, or PEM for a CRL
  friend bool operator==(const CertificateEntry&, const CertificateEntry&) = default;
};

struct Evidence {
  Report report;
  std::vector<CertificateEntry> certificates{};  // empty where the guest sent none

  // At most 16 certificates of at most 64 KiB each. malformed, or what Report::from_json says.
  static Result<Evidence> from_json(const codec::json::Value& value);
  codec::json::Value to_json() const;
};

// By what a certificate or revocation list says of itself. SnpError::bad_certificate where it is neither.
Result<CertificateEntry> classify(Bytes data);

}  // namespace coffer::evidence::snp

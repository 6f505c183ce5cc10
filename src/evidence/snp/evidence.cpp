#include "evidence/snp/evidence.h"

#include <array>

#include "crypto/crl.h"
#include "evidence/tee.h"

namespace coffer::evidence::snp {

namespace json = codec::json;

namespace {

constexpr std::size_t max_certificates = 16;
constexpr std::size_t max_certificate_size = 64U << 10;

constexpr std::array names{std::pair{CertificateType::ark, "ARK"},   std::pair{CertificateType::ask, "ASK"},
                           std::pair{CertificateType::vcek, "VCEK"}, std::pair{CertificateType::vlek, "VLEK"},
                           std::pair{CertificateType::crl, "CRL"},   std::pair{CertificateType::other, "OTHER"}};

// Upstream writes its other kinds as "Empty" and {"OTHER": "<guid>"}.
CertificateType read_type(const json::Value* value) {
  const auto* text = value == nullptr ? nullptr : value->if_string();
  for (const auto& [type, name] : names) {
    if (text != nullptr && *text == name) return type;
  }
  return CertificateType::other;
}

Result<Bytes> read_data(const json::Value* value) {
  const auto* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr || array->size() > max_certificate_size) {
    return fail(EvidenceError::malformed,
                "the data of a certificate is expected to be an array of at most 65536 integers");
  }
  Bytes out;
  out.reserve(array->size());
  for (const auto& element : *array) {
    const auto byte = element.if_uint64();
    if (!byte || *byte > 255) {
      return fail(EvidenceError::malformed,
                  "the data of a certificate is expected to be bytes, found " + std::string{element.type_name()});
    }
    out.push_back(static_cast<std::byte>(*byte));
  }
  return out;
}

Result<std::vector<CertificateEntry>> read_chain(const json::Value* value) {
  std::vector<CertificateEntry> out;
  if (value == nullptr || value->is_null()) return out;
  const auto* array = value->if_array();
  if (array == nullptr || array->size() > max_certificates) {
    return fail(EvidenceError::malformed, "cert_chain is expected to be null or an array of at most 16 certificates");
  }
  for (const auto& element : *array) {
    if (!element.is_object()) {
      return fail(EvidenceError::malformed,
                  "an element of cert_chain is expected to be an object, found " + std::string{element.type_name()});
    }
    out.push_back({ read_type(element.find("cert_type")), TRY(read_data(element.find("data"))) });
  }
  return out;
}

}  // namespace

std::string_view name_of(CertificateType type) {
  for (const auto& [candidate, name] : names) {
    if (candidate == type) return name;
  }
  return "OTHER";
}

Result<Evidence> Evidence::from_json(const json::Value& value) {
  const auto* report = value.find("attestation_report");
  if (report == nullptr) {
    return fail(EvidenceError::malformed, "SNP evidence is expected to be an object with attestation_report, found " +
                                              std::string{value.type_name()} +
                                              (value.is_object() ? " without it" : ""));
  }
  auto parsed = TRY(Report::from_json(*report));
  return Evidence {
    std::move(parsed), TRY(read_chain(value.find("cert_chain")))
  };
}

json::Value Evidence::to_json() const {
  json::Value chain;
  if (!certificates.empty()) {
    json::Array entries;
    for (const auto& certificate : certificates) {
      json::Array data;
      data.reserve(certificate.data.size());
      for (const auto byte : certificate.data) data.emplace_back(std::to_integer<int>(byte));
      entries.emplace_back(json::Object{{"cert_type", name_of(certificate.type)}, {"data", std::move(data)}});
    }
    chain = std::move(entries);
  }
  return json::Object{{"attestation_report", report.to_json()}, {"cert_chain", std::move(chain)}};
}

Result<CertificateEntry> classify(Bytes data) {
  const auto certificate = crypto::Certificate::from_der(data);
  if (!certificate) {
    if (crypto::Crl::parse(data)) return CertificateEntry{CertificateType::crl, std::move(data)};
    return fail(SnpError::bad_certificate, "neither a certificate nor a revocation list in DER");
  }
  const auto name = certificate->subject_attribute("2.5.4.3").value_or("");
  auto type = CertificateType::ask;
  if (name == "SEV-VCEK") type = CertificateType::vcek;
  if (name == "SEV-VLEK") type = CertificateType::vlek;
  if (name.starts_with("ARK-")) type = CertificateType::ark;
  return CertificateEntry{type, std::move(data)};
}

}  // namespace coffer::evidence::snp

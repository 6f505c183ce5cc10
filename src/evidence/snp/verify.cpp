#include <algorithm>

#include "codec/base64.h"
#include "evidence/binding.h"
#include "evidence/snp/snp.h"

namespace coffer::evidence::snp {

namespace json = codec::json;

namespace {

class SnpVerifier final : public Verifier {
 public:
  explicit SnpVerifier(std::shared_ptr<const ReportVerifier> reports) : reports_(std::move(reports)) {}
  TeeKind kind() const override { return TeeKind::snp; }

  Result<std::vector<Claims>> verify(const json::Value& value, const Binding& binding, TimePoint now) const override {
    const auto evidence = TRY(Evidence::from_json(value));
    const auto& report = evidence.report;
    auto verdict = TRY(reports_->verify(report, evidence.certificates, now));
    TRY(check_report_data_field(binding, report.report_data, "the report data"));
    TRY(check_init_data_field(binding, report.host_data, "the host data"));
    Claims out{claims_of(report)};
    out.report_data = codec::hex_encode(report.report_data);
    // Stated whether init-data was sent or not, as upstream does.
    out.init_data = codec::hex_encode(report.host_data);
    out.simulated_root = std::move(verdict.simulated_root);
    return std::vector{std::move(out)};
  }

  Result<json::Object> inspect(const json::Value& value) const override {
    const auto evidence = TRY(Evidence::from_json(value));
    auto out = describe(evidence.report);
    json::Array chain;
    for (const auto& entry : evidence.certificates) chain.emplace_back(describe_certificate(entry));
    out.append("cert_chain", std::move(chain));
    return out;
  }

  Result<json::Value> from_raw(ByteView raw, std::span<const Bytes> certificates) const override {
    Evidence out {
      TRY(Report::parse(raw))
    };
    for (const auto& certificate : certificates) out.certificates.push_back(TRY(classify(certificate)));
    return out.to_json();
  }

  Result<json::Value> with_certificates(const json::Value& evidence,
                                        std::span<const Bytes> certificates) const override {
    auto out = TRY(Evidence::from_json(evidence));
    std::vector<CertificateEntry> given;
    for (const auto& certificate : certificates) given.push_back(TRY(classify(certificate)));
    const auto makes_way = [&given](const CertificateEntry& own) {
      return std::ranges::find(given, own.type, &CertificateEntry::type) != given.end();
    };
    std::erase_if(out.certificates, makes_way);
    std::ranges::move(given, std::back_inserter(out.certificates));
    return out.to_json();
  }

 private:
  static json::Object describe_certificate(const CertificateEntry& entry) {
    json::Object out{{"cert_type", name_of(entry.type)}};
    const auto certificate = crypto::Certificate::from_der(entry.data);
    if (!certificate) return out;
    out.append("subject", certificate->subject());
    out.append("issuer", certificate->issuer());
    out.append("not_before", format_rfc3339(certificate->not_before()));
    out.append("not_after", format_rfc3339(certificate->not_after()));
    out.append("sha256", codec::hex_encode(certificate->sha256_fingerprint()));
    return out;
  }

  std::shared_ptr<const ReportVerifier> reports_;
};

}  // namespace

json::Object claims_of(const Report& report) {
  return {{"policy_abi_major", report.abi_major()},
          {"policy_abi_minor", report.abi_minor()},
          {"policy_smt_allowed", report.smt_allowed()},
          {"policy_migrate_ma", report.migration_agent_allowed()},
          {"policy_debug_allowed", report.debug_allowed()},
          {"policy_single_socket", report.single_socket()},
          {"reported_tcb_bootloader", report.reported_tcb.bootloader},
          {"reported_tcb_tee", report.reported_tcb.tee},
          {"reported_tcb_snp", report.reported_tcb.snp},
          {"reported_tcb_microcode", report.reported_tcb.microcode},
          {"platform_tsme_enabled", report.tsme_enabled()},
          {"platform_smt_enabled", report.smt_enabled()},
          {"measurement", codec::hex_encode(report.measurement)},
          {"chip_id", codec::hex_encode(report.chip_id)}};
}

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options) {
  return std::make_unique<SnpVerifier>(TRY(ReportVerifier::create(kind, options)));
}

}  // namespace coffer::evidence::snp

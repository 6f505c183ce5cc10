#include "codec/base64.h"
#include "crypto/x509.h"
#include "evidence/az_vtpm/az_vtpm.h"
#include "evidence/az_vtpm/evidence.h"
#include "evidence/az_vtpm/hcl_report.h"
#include "evidence/snp/snp.h"
#include "evidence/tdx/tdx.h"
#include "evidence/tpm/quote.h"

namespace coffer::evidence::az_vtpm {

namespace json = codec::json;

namespace {

struct CheckedQuote {
  tpm::Quote quote;
  tpm::PcrValues pcrs;
};

// The quote's nonce is the report data itself, neither cut nor padded.
Result<> check_nonce(const tpm::Quote& quote, ByteView report_data) {
  if (equal(quote.extra_data, report_data)) return {};
  return fail(EvidenceError::report_data_mismatch, "the quote's nonce is expected to be " +
                                                       codec::hex_encode(report_data) + ", found " +
                                                       codec::hex_encode(quote.extra_data));
}

// From version 2 on the report itself was made for the report data, so that an old report under a fresh quote shows.
Result<> check_user_data(ByteView user_data, ByteView report_data) {
  const bool fits = user_data.size() >= report_data.size() && equal(user_data.first(report_data.size()), report_data);
  if (fits) return {};
  return fail(AzVtpmError::user_data_mismatch, "the report's user data is expected to begin with " +
                                                   codec::hex_encode(report_data) + ", found " +
                                                   codec::hex_encode(user_data));
}

Result<CheckedQuote> check_quote(const Evidence& evidence, const crypto::PublicKey& key, const Binding& binding) {
  const tpm::Signature signature{crypto::SignatureScheme::rsa_pkcs1, crypto::HashAlgorithm::sha256, evidence.signature};
  auto quote = TRY(tpm::parse_quote(evidence.message));
  TRY(tpm::verify_signature(key, signature, evidence.message));
  auto pcrs = TRY(tpm::check_pcrs(quote, evidence.pcrs, signature.hash));
  if (binding.report_data) TRY(check_nonce(quote, *binding.report_data));
  if (binding.init_data_digest) TRY(tpm::check_init_data(pcrs, *binding.init_data_digest));
  return CheckedQuote{std::move(quote), std::move(pcrs)};
}

// What is claimed of the vTPM, over the hardware's own claims.
void add_vtpm(Claims& claims, const CheckedQuote& checked) {
  claims.claims.set("tpm", tpm::pcr_claims(checked.pcrs));
  claims.report_data = codec::hex_encode(checked.quote.extra_data);
  const auto pcr = checked.pcrs.find(tpm::init_data_pcr);
  if (pcr != checked.pcrs.end()) claims.init_data = codec::hex_encode(pcr->second);
}

// Upstream's spelling here: every value a string, the measurement in base64, no chip_id.
json::Object az_snp_claims(const snp::Report& report) {
  json::Object out;
  for (const auto& [name, value] : snp::claims_of(report)) {
    if (name == "chip_id") continue;
    out.append(name, value.is_string() ? value : json::Value{json::serialize(value)});
  }
  out.set("measurement", codec::base64_encode(report.measurement));
  return out;
}

Result<HclReport> parse_hcl(const Evidence& evidence, Hardware expected) {
  auto report = TRY(HclReport::parse(evidence.hcl_report));
  if (report.hardware == expected) return report;
  return fail(AzVtpmError::wrong_hardware, "the HCL report is of " + std::string{name_of(report.hardware)} +
                                               ", expected " + std::string{name_of(expected)});
}

class AzVerifier : public Verifier {
 public:
  AzVerifier(TeeKind kind, Hardware hardware) : kind_(kind), hardware_(hardware) {}
  TeeKind kind() const final { return kind_; }

  Result<std::vector<Claims>> verify(const json::Value& value, const Binding& binding, TimePoint now) const final {
    const auto evidence = TRY(parse_evidence(kind_, value));
    const auto hcl = TRY(parse_hcl(evidence, hardware_));
    const auto runtime = TRY(RuntimeClaims::parse(hcl.runtime_data));
    // The key is anybody's until hardware vouches for the runtime data below.
    const auto checked = TRY(check_quote(evidence, runtime.attestation_key, binding));
    if (evidence.version >= 2 && binding.report_data) TRY(check_user_data(runtime.user_data, *binding.report_data));
    auto claims = TRY(check_hardware(evidence, hcl, now));
    add_vtpm(claims, checked);
    return std::vector{std::move(claims)};
  }

  Result<json::Object> inspect(const json::Value& value) const final {
    const auto evidence = TRY(parse_evidence(kind_, value));
    const auto hcl = TRY(parse_hcl(evidence, hardware_));
    const auto quote = TRY(tpm::parse_quote(evidence.message));
    auto runtime = json::parse(as_text(hcl.runtime_data));
    json::Array pcrs;
    for (const auto& each : evidence.pcrs) pcrs.emplace_back(codec::hex_encode(each));
    return json::Object{{"version", evidence.version},
                        {"quote", tpm::describe(quote)},
                        {"signature", codec::hex_encode(evidence.signature)},
                        {"pcrs", std::move(pcrs)},
                        {"hardware", name_of(hcl.hardware)},
                        {"runtime_data", runtime ? *std::move(runtime) : json::Value{nullptr}},
                        {"hardware_evidence", TRY(describe_hardware(evidence, hcl))}};
  }

 protected:
  // Claims of the hardware, once it has vouched for the runtime data.
  virtual Result<Claims> check_hardware(const Evidence& evidence, const HclReport& hcl, TimePoint now) const = 0;
  virtual Result<json::Object> describe_hardware(const Evidence& evidence, const HclReport& hcl) const = 0;

 private:
  TeeKind kind_;
  Hardware hardware_;
};

class AzSnpVerifier final : public AzVerifier {
 public:
  explicit AzSnpVerifier(std::shared_ptr<const snp::ReportVerifier> reports)
      : AzVerifier(TeeKind::az_snp_vtpm, Hardware::snp), reports_(std::move(reports)) {}

 private:
  Result<Claims> check_hardware(const Evidence& evidence, const HclReport& hcl, TimePoint now) const override {
    const auto report = TRY(snp::Report::parse(hcl.hardware_report));
    const auto vcek = snp::classify(evidence.endorsement);
    if (!vcek) return fail(AzVtpmError::bad_vcek, "the VCEK: " + vcek.error().message);
    const auto verdict = TRY(reports_->verify(report, {&*vcek, 1}, now));
    TRY(check_runtime_data(hcl.runtime_data, report.report_data));
    Claims out{az_snp_claims(report)};
    out.simulated_root = verdict.simulated_root;
    return out;
  }
  Result<json::Object> describe_hardware(const Evidence&, const HclReport& hcl) const override {
    return snp::describe(TRY(snp::Report::parse(hcl.hardware_report)));
  }

  std::shared_ptr<const snp::ReportVerifier> reports_;
};

Result<const dcap::TdReport*> td_of(const dcap::Quote& quote) {
  if (const auto* report = quote.td()) return report;
  return fail(AzVtpmError::wrong_hardware, "td_quote is of an SGX enclave, expected one of a TD");
}

class AzTdxVerifier final : public AzVerifier {
 public:
  explicit AzTdxVerifier(std::shared_ptr<const dcap::Engine> engine)
      : AzVerifier(TeeKind::az_tdx_vtpm, Hardware::tdx), engine_(std::move(engine)) {}

 private:
  Result<Claims> check_hardware(const Evidence& evidence, const HclReport& hcl, TimePoint now) const override {
    const auto quote = TRY(dcap::parse_quote(evidence.endorsement));
    const auto* report = TRY(td_of(quote));
    TRY(check_runtime_data(hcl.runtime_data, report->report_data));
    const auto appraisal = TRY(engine_->appraise(quote, now));
    Claims out{tdx::td_claims(quote, appraisal)};
    out.simulated_root = appraisal.simulated_root;
    return out;
  }
  Result<json::Object> describe_hardware(const Evidence& evidence, const HclReport&) const override {
    return dcap::describe(TRY(dcap::parse_quote(evidence.endorsement)));
  }

  std::shared_ptr<const dcap::Engine> engine_;
};

}  // namespace

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options) {
  if (kind == TeeKind::az_snp_vtpm) {
    return std::make_unique<AzSnpVerifier>(TRY(snp::ReportVerifier::create(kind, options)));
  }
  return std::make_unique<AzTdxVerifier>(TRY(dcap::Engine::create(kind, options)));
}

}  // namespace coffer::evidence::az_vtpm

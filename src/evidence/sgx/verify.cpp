#include "codec/base64.h"
#include "evidence/binding.h"
#include "evidence/dcap/engine.h"
#include "evidence/sgx/sgx.h"

namespace coffer::evidence::sgx {

namespace json = codec::json;

namespace {

Result<Bytes> quote_bytes(const json::Value& evidence) {
  const auto* object = evidence.if_object();
  const auto* quote = object != nullptr ? object->find("quote") : nullptr;
  if (quote == nullptr || !quote->is_string()) {
    return fail(EvidenceError::malformed, "SGX evidence is expected to be an object with the quote in base64");
  }
  auto bytes = codec::base64_decode(*quote->if_string());
  if (bytes) return *std::move(bytes);
  return fail(EvidenceError::malformed, "SGX evidence.quote: " + bytes.error().message);
}

Result<const dcap::SgxReport*> report_of(const dcap::Quote& quote) {
  if (const auto* report = quote.sgx()) return report;
  return fail(SgxError::not_an_enclave, "a quote of an SGX enclave is expected, found one of a TD");
}

Result<> check_binding(const dcap::SgxReport& report, const Binding& binding) {
  TRY(check_report_data_field(binding, report.report_data, "REPORTDATA of the enclave"));
  return check_init_data_field(binding, report.config_id, "CONFIGID of the enclave");
}

class SgxVerifier final : public Verifier {
 public:
  explicit SgxVerifier(std::shared_ptr<const dcap::Engine> engine) : engine_(std::move(engine)) {}
  TeeKind kind() const override { return TeeKind::sgx; }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding,
                                     TimePoint now) const override {
    const auto bytes = TRY(quote_bytes(evidence));
    const auto quote = TRY(dcap::parse_quote(bytes));
    const auto* report = TRY(report_of(quote));
    const auto appraisal = TRY(engine_->appraise(quote, now));
    TRY(check_binding(*report, binding));
    Claims out{dcap::quote_claims(quote)};
    for (auto& [name, value] : dcap::appraisal_claims(appraisal)) out.claims.append(name, std::move(value));
    out.report_data = codec::hex_encode(report->report_data);
    out.init_data = codec::hex_encode(report->config_id);
    out.simulated_root = appraisal.simulated_root;
    return std::vector{std::move(out)};
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    const auto bytes = TRY(quote_bytes(evidence));
    const auto quote = TRY(dcap::parse_quote(bytes));
    TRY(report_of(quote));
    return dcap::describe(quote);
  }

  Result<json::Value> from_raw(ByteView raw, std::span<const Bytes>) const override {
    return json::Value{json::Object{{"quote", codec::base64_encode(raw)}}};
  }

 private:
  std::shared_ptr<const dcap::Engine> engine_;
};

}  // namespace

std::string_view code_name(SgxError code) {
  switch (code) {
    case SgxError::not_an_enclave: return "sgx.not_an_enclave";
  }
  return "sgx.unknown";
}

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options) {
  return std::make_unique<SgxVerifier>(TRY(dcap::Engine::create(kind, options)));
}

}  // namespace coffer::evidence::sgx

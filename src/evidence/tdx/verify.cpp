#include "codec/base64.h"
#include "evidence/binding.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/tdx/evidence.h"
#include "evidence/tdx/tdx.h"

namespace coffer::evidence::tdx {

namespace json = codec::json;

namespace {

Result<const dcap::TdReport*> td_of(const dcap::Quote& quote) {
  if (const auto* report = quote.td()) return report;
  return fail(TdxError::not_a_td, "a quote of a TD is expected, found one of an SGX enclave");
}

Result<> check_binding(const dcap::TdReport& report, const Binding& binding) {
  TRY(check_report_data_field(binding, report.report_data, "REPORTDATA of the TD"));
  return check_init_data_field(binding, report.mr_config_id, "MRCONFIGID of the TD");
}

// A CC log counts from 1 for RTMR0 (UEFI 2.11 section 38.4.1: MRTD is 0).
std::vector<eventlog::StatedRegister> registers(const dcap::TdReport& report) {
  std::vector<eventlog::StatedRegister> out;
  for (std::uint32_t i = 0; i < report.rtmr.size(); ++i) {
    out.push_back({"RTMR" + std::to_string(i), i + 1, to_bytes(report.rtmr[i])});
  }
  return out;
}

Result<json::Array> verified_events(ByteView log, const dcap::TdReport& report) {
  const auto parsed = TRY(eventlog::EventLog::parse(log));
  TRY(check_event_log(parsed, report));
  return parsed.claims();
}

class TdxVerifier final : public Verifier {
 public:
  explicit TdxVerifier(std::shared_ptr<const dcap::Engine> engine) : engine_(std::move(engine)) {}
  TeeKind kind() const override { return TeeKind::tdx; }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding,
                                     TimePoint now) const override {
    const auto parsed = TRY(parse_evidence(evidence));
    const auto quote = TRY(dcap::parse_quote(parsed.quote));
    const auto* report = TRY(td_of(quote));
    const auto appraisal = TRY(engine_->appraise(quote, now));
    TRY(check_binding(*report, binding));
    Claims out{td_claims(quote, appraisal)};
    if (parsed.event_log) out.claims.append("uefi_event_logs", TRY(verified_events(*parsed.event_log, *report)));
    out.report_data = codec::hex_encode(report->report_data);
    out.init_data = codec::hex_encode(report->mr_config_id);
    out.simulated_root = appraisal.simulated_root;
    return std::vector{std::move(out)};
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    const auto parsed = TRY(parse_evidence(evidence));
    const auto quote = TRY(dcap::parse_quote(parsed.quote));
    const auto* report = TRY(td_of(quote));
    json::Object out{{"quote", dcap::describe(quote)}, {"td_attributes", td_attributes_claims(report->td_attributes)}};
    if (parsed.event_log) {
      out.append("uefi_event_logs", TRY(eventlog::EventLog::parse(*parsed.event_log)).claims());
    }
    return out;
  }

  Result<json::Value> from_raw(ByteView raw, std::span<const Bytes>) const override {
    return json::Value{json::Object{{"quote", codec::base64_encode(raw)}, {"cc_eventlog", nullptr}}};
  }

 private:
  std::shared_ptr<const dcap::Engine> engine_;
};

}  // namespace

std::string_view code_name(TdxError code) {
  switch (code) {
    case TdxError::not_a_td: return "tdx.not_a_td";
  }
  return "tdx.unknown";
}

Result<> check_event_log(const eventlog::EventLog& log, const dcap::TdReport& report) {
  return eventlog::check_replay(log, crypto::HashAlgorithm::sha384, registers(report));
}

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind kind, const VerifierOptions& options) {
  return std::make_unique<TdxVerifier>(TRY(dcap::Engine::create(kind, options)));
}

}  // namespace coffer::evidence::tdx

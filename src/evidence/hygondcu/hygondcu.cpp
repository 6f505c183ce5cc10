#include "evidence/hygondcu/hygondcu.h"

#include "codec/base64.h"
#include "evidence/json_bytes.h"

namespace coffer::evidence::hygondcu {

namespace json = codec::json;

namespace {

constexpr std::size_t max_reports = 32;

std::unexpected<Error> malformed(const std::string& message) {
  return fail(EvidenceError::malformed, message);
}

Result<std::uint64_t> number(const json::Object& body, std::string_view name) {
  const auto* value = body.find(name);
  const auto number = value == nullptr ? std::nullopt : value->if_uint64();
  if (number && *number <= 0xffffffffU) return *number;
  return malformed("DCU report.body." + std::string{name} + " is expected to be a number of 32 bits");
}

Result<Report> parse_report(const json::Value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return malformed("a DCU report is expected to be an object");
  const auto body = json::object_member(*object, "body", "DCU report");
  if (!body) return malformed(body.error().message);
  const auto signature = json::object_member(*object, "sig", "DCU report");
  if (!signature) return malformed(signature.error().message);
  Report out;
  out.version = TRY(number(**body, "version"));
  out.chip_id = TRY(bytes_of_integers((*body)->find("chip_id"), "body.chip_id", 16));
  out.user_data = TRY(bytes_of_integers((*body)->find("user_data"), "body.user_data", 64));
  out.measure = TRY(bytes_of_integers((*body)->find("measure"), "body.measure", 32));
  out.reserved = TRY(bytes_of_integers((*body)->find("reserved"), "body.reserved", 128));
  out.sig_usage = TRY(number(**body, "sig_usage"));
  out.sig_algo = TRY(number(**body, "sig_algo"));
  const auto r = TRY(bytes_of_integers((*signature)->find("r"), "sig.r", 72));
  const auto s = TRY(bytes_of_integers((*signature)->find("s"), "sig.s", 72));
  out.signature = concat({r, s});
  return out;
}

json::Object describe(const Report& report) {
  return {{"version", report.version},
          {"chip_id", codec::hex_encode(report.chip_id)},
          {"user_data", codec::hex_encode(report.user_data)},
          {"measure", codec::hex_encode(report.measure)},
          {"reserved", codec::hex_encode(report.reserved)},
          {"sig_usage", report.sig_usage},
          {"sig_algo", report.sig_algo},
          {"signature", codec::hex_encode(report.signature)}};
}

class DcuVerifier final : public Verifier {
 public:
  TeeKind kind() const override { return TeeKind::hygondcu; }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding&, TimePoint) const override {
    TRY(parse_evidence(evidence));
    return fail(EvidenceError::not_supported,
                "DCU evidence cannot be verified here: SM2 signatures and Hygon's certificates are missing");
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    json::Array reports;
    for (const auto& report : TRY(parse_evidence(evidence))) reports.emplace_back(describe(report));
    return json::Object{{"attestation_reports", std::move(reports)}};
  }
};

}  // namespace

Result<std::vector<Report>> parse_evidence(const json::Value& evidence) {
  const auto* reports = evidence.find("attestation_reports");
  const auto* array = reports == nullptr ? nullptr : reports->if_array();
  if (array == nullptr || array->empty() || array->size() > max_reports) {
    return malformed("DCU evidence is expected to hold 1 to 32 attestation_reports, found " +
                     (array == nullptr ? "none" : std::to_string(array->size())));
  }
  std::vector<Report> out;
  for (const auto& each : *array) out.push_back(TRY(parse_report(each)));
  return out;
}

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind, const VerifierOptions&) {
  return std::make_unique<DcuVerifier>();
}

}  // namespace coffer::evidence::hygondcu

#include "codec/base64.h"
#include "evidence/csv/csv.h"
#include "evidence/json_bytes.h"

namespace coffer::evidence::csv {

namespace json = codec::json;

namespace {

std::unexpected<Error> malformed(const std::string& message) {
  return fail(EvidenceError::malformed, message);
}

Result<Report> read_report(const json::Object& evidence) {
  const auto wrapper = json::object_member(evidence, "attestation_report", "CSV evidence");
  if (!wrapper) return malformed(wrapper.error().message);
  const auto page = TRY(bytes_of_integers((*wrapper)->find("data"), "attestation_report.data", report_page));
  const auto magic = TRY(bytes_of_integers((*wrapper)->find("magic"), "attestation_report.magic", 16));
  const auto* flags = (*wrapper)->find("flags");
  const auto number = flags == nullptr ? std::nullopt : flags->if_uint64();
  if (!number) return malformed("attestation_report.flags is expected to be a number");
  return parse_report(page, magic, *number);
}

Result<bool> read_has_chain(const json::Object& evidence) {
  const auto chain = json::object_member(evidence, "cert_chain", "CSV evidence");
  if (!chain) return malformed(chain.error().message);
  if (!(*chain)->contains("pek")) return malformed("cert_chain.pek is missing");
  const auto* endorsements = (*chain)->find("hsk_cek");
  return endorsements != nullptr && !endorsements->is_null();
}

class CsvVerifier final : public Verifier {
 public:
  TeeKind kind() const override { return TeeKind::csv; }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding&, TimePoint) const override {
    TRY(parse_evidence(evidence));
    return fail(EvidenceError::not_supported,
                "CSV evidence cannot be verified here: SM2 signatures and Hygon's root certificate HRK are missing");
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    const auto read = TRY(parse_evidence(evidence));
    auto out = describe(read.report);
    const auto serial = as_text(read.serial_number);
    out.append("serial_number", serial.substr(0, serial.find('\0')));
    out.append("has_hsk_cek", read.has_chain);
    if (read.event_log) out.append("event_log_bytes", read.event_log->size());
    return out;
  }
};

}  // namespace

Result<Evidence> parse_evidence(const json::Value& evidence) {
  const auto* object = evidence.if_object();
  if (object == nullptr) {
    return malformed("CSV evidence is expected to be an object, found " + std::string{evidence.type_name()});
  }
  Evidence out;
  out.report = TRY(read_report(*object));
  out.has_chain = TRY(read_has_chain(*object));
  out.serial_number = TRY(bytes_of_integers(object->find("serial_number"), "serial_number", std::nullopt, 64));
  const auto* log = object->find("cc_eventlog");
  if (log != nullptr && !log->is_null()) out.event_log = TRY(base64_member(*object, "cc_eventlog", "CSV evidence"));
  return out;
}

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind, const VerifierOptions&) {
  return std::make_unique<CsvVerifier>();
}

}  // namespace coffer::evidence::csv

#include "evidence/tdx/evidence.h"

#include "codec/base64.h"

namespace coffer::evidence::tdx {

namespace json = codec::json;

namespace {

Result<Bytes> decode(std::string_view text, std::string_view member) {
  auto bytes = codec::base64_decode(text);
  if (bytes) return *std::move(bytes);
  return fail(EvidenceError::malformed, "TDX evidence." + std::string{member} + ": " + bytes.error().message);
}

template <class T>
Result<T> in_evidence(Result<T> result) {
  if (result) return result;
  return fail(EvidenceError::malformed, std::move(result.error().message));
}

}  // namespace

Result<Evidence> parse_evidence(const json::Value& evidence) {
  const auto* object = TRY(in_evidence(evidence.as_object("TDX evidence")));
  Evidence out {
    TRY(decode(TRY(in_evidence(json::string_member(*object, "quote", "TDX evidence"))), "quote"))
    , {}
  };
  const auto log = TRY(in_evidence(json::optional_string_member(*object, "cc_eventlog", "TDX evidence")));
  if (log && !log->empty()) out.event_log = TRY(decode(*log, "cc_eventlog"));
  return out;
}

json::Value to_json(const Evidence& evidence) {
  json::Object out{{"quote", codec::base64_encode(evidence.quote)}, {"cc_eventlog", nullptr}};
  if (evidence.event_log) out.set("cc_eventlog", codec::base64_encode(*evidence.event_log));
  return out;
}

}  // namespace coffer::evidence::tdx

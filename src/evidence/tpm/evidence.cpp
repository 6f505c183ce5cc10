#include "evidence/tpm/evidence.h"

#include "codec/base64.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/tpm/quote.h"

namespace coffer::evidence::tpm {

namespace json = codec::json;

namespace {

constexpr std::size_t max_field = 8192;
constexpr std::size_t max_certificates = 8;
constexpr std::string_view what = "tpm evidence";

template <typename T>
Result<T> shaped(Result<T> read) {
  if (!read) return fail(EvidenceError::malformed, read.error().message);
  return read;
}

Result<Bytes> decoded(std::string_view text, std::string_view key, std::size_t most) {
  auto bytes = codec::base64_decode(text);
  if (!bytes) {
    return fail(EvidenceError::malformed, "tpm evidence." + std::string{key} + ": " + bytes.error().message);
  }
  if (bytes->size() <= most) return bytes;
  return fail(EvidenceError::malformed, "tpm evidence." + std::string{key} + " has " + std::to_string(bytes->size()) +
                                            " bytes, at most " + std::to_string(most) + " fit");
}

Result<Bytes> base64_member(const json::Object& object, std::string_view key) {
  return decoded(TRY(shaped(json::string_member(object, key, what))), key, max_field);
}

Result<std::vector<Bytes>> read_pcrs(const json::Object& quote) {
  std::vector<Bytes> out;
  for (const auto& each : *TRY(shaped(json::array_member(quote, "pcrs", "tpm evidence.tpm_quote")))) {
    auto value = codec::hex_decode(TRY(shaped(each.as_string("tpm evidence.tpm_quote.pcrs[]"))));
    if (!value) return fail(EvidenceError::malformed, "tpm evidence.tpm_quote.pcrs: " + value.error().message);
    if (out.size() == pcr_count) return fail(EvidenceError::malformed, "tpm evidence lists more than 24 PCRs");
    out.push_back(*std::move(value));
  }
  return out;
}

Result<std::vector<Bytes>> read_certificates(const json::Object& evidence) {
  std::vector<Bytes> out;
  const auto* member = evidence.find("ak_cert");
  if (member == nullptr || member->is_null()) return out;
  for (const auto& each : *TRY(shaped(member->as_array("tpm evidence.ak_cert")))) {
    if (out.size() == max_certificates) return fail(EvidenceError::malformed, "tpm evidence.ak_cert is too long");
    out.push_back(TRY(decoded(TRY(shaped(each.as_string("tpm evidence.ak_cert[]"))), "ak_cert", max_field)));
  }
  return out;
}

}  // namespace

Result<Evidence> parse_evidence(const json::Value& value) {
  const auto& evidence = *TRY(shaped(value.as_object(what)));
  const auto& quote = *TRY(shaped(json::object_member(evidence, "tpm_quote", what)));
  Evidence out;
  out.ak_public = TRY(base64_member(evidence, "ak_public"));
  out.message = TRY(base64_member(quote, "message"));
  out.signature = TRY(base64_member(quote, "signature"));
  out.pcrs = TRY(read_pcrs(quote));
  if (const auto log = TRY(shaped(json::optional_string_member(evidence, "eventlog", what)))) {
    out.event_log = TRY(decoded(*log, "eventlog", eventlog::max_log_size));
  }
  out.ak_certificates = TRY(read_certificates(evidence));
  return out;
}

json::Value to_json(const Evidence& evidence) {
  json::Array pcrs;
  for (const auto& each : evidence.pcrs) pcrs.emplace_back(codec::hex_encode(each));
  json::Object out{{"tpm_quote", json::Object{{"signature", codec::base64_encode(evidence.signature)},
                                              {"message", codec::base64_encode(evidence.message)},
                                              {"pcrs", std::move(pcrs)}}},
                   {"ak_public", codec::base64_encode(evidence.ak_public)}};
  if (evidence.event_log) out.set("eventlog", codec::base64_encode(*evidence.event_log));
  if (evidence.ak_certificates.empty()) return json::Value{std::move(out)};
  json::Array certificates;
  for (const auto& each : evidence.ak_certificates) certificates.emplace_back(codec::base64_encode(each));
  out.set("ak_cert", std::move(certificates));
  return json::Value{std::move(out)};
}

}  // namespace coffer::evidence::tpm

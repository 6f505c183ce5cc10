#include "evidence/external/message.h"

#include <algorithm>

#include "base/printable.h"
#include "codec/base64.h"

namespace coffer::evidence::external {

namespace json = codec::json;

namespace {

constexpr json::Limits answer_limits{.max_size = max_answer, .max_depth = 16, .max_values = 1U << 14};
constexpr std::size_t max_type = 32;
constexpr std::size_t max_words = 500;

std::unexpected<Error> bad_answer(const Call& call, const std::string& reason) {
  return fail(ExternalError::bad_answer, "the external " + call.type + " answered " + reason);
}

json::Object request(const Call& call, std::string_view method) {
  return {{"version", protocol_version}, {"id", call.id}, {"method", method}, {"type", call.type}};
}

json::Value base64_or_null(const std::optional<Bytes>& bytes) {
  return bytes ? json::Value{codec::base64_encode(*bytes)} : json::Value{};
}

struct Refusal {
  std::string code;
  std::string message;
  std::string text() const { return "\"" + code + "\": " + message; }
};

// Others' words, cut and without control characters.
std::string words(const json::Value* value) {
  if (value == nullptr || value->if_string() == nullptr) return "";
  return printable(*value->if_string(), max_words);
}

struct Answer {
  json::Object result{};
  std::optional<Refusal> refusal{};
};

Result<> check_envelope(const json::Value& value, const Call& call) {
  const auto* version = value.find("version");
  if (version == nullptr || version->if_int64() != protocol_version) return bad_answer(call, "in another version");
  const auto* id = value.find("id");
  if (id == nullptr || id->if_uint64() != call.id) return bad_answer(call, "to another request");
  const auto* type = value.find("type");
  if (type == nullptr || type->if_string() == nullptr || *type->if_string() != call.type) {
    return bad_answer(call, "for another type");
  }
  return {};
}

Result<Answer> parse_answer(std::string_view text, const Call& call) {
  const auto value = json::parse(text, answer_limits);
  if (!value) return bad_answer(call, "with what is no JSON in bounds: " + value.error().message);
  TRY(check_envelope(*value, call));
  const auto* result = value->find("result");
  const auto* error = value->find("error");
  if ((result == nullptr) == (error == nullptr)) return bad_answer(call, "with neither or both of result and error");
  if (error != nullptr) {
    if (!error->is_object()) return bad_answer(call, "with an error that is no object");
    return Answer{.refusal = Refusal{words(error->find("code")), words(error->find("message"))}};
  }
  if (const auto* object = result->if_object()) return Answer{.result = *object};
  return bad_answer(call, "with a result that is no object");
}

// The answer must repeat what the verifier held: one that never looked at it would leave it out.
Result<> check_bound(const json::Object& result, std::string_view name, const std::optional<Bytes>& expected,
                     EvidenceError code, const Call& call) {
  if (!expected) return {};
  const auto* stated = result.find(name);
  const auto wanted = codec::base64_encode(*expected);
  if (stated != nullptr && stated->if_string() != nullptr && *stated->if_string() == wanted) return {};
  const auto found = words(stated);
  return fail(code, "the external " + call.type + " verifier is expected to have held " + std::string{name} + " " +
                        wanted + ", found " + (found.empty() ? "nothing" : found));
}

std::unexpected<Error> attester_failed(const Call& call, const Refusal& refusal) {
  const auto code = refusal.code == "not_supported" ? EvidenceError::not_supported : EvidenceError::device_failed;
  return fail(code, "the external " + call.type + " attester refuses with " + refusal.text());
}

}  // namespace

Result<std::string> parse_type(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  const bool is_name =
      !name.empty() && name.size() <= max_type && name[0] >= 'a' && name[0] <= 'z' && std::ranges::all_of(name, fits);
  if (!is_name) {
    return fail(ExternalError::bad_type, "an external type is expected to be 1 to 32 of a-z, 0-9 and -, found \"" +
                                             printable(name.substr(0, 64)) + "\"");
  }
  if (parse_tee_kind(name)) {
    return fail(ExternalError::bad_type, "\"" + std::string{name} + "\" is a TEE of its own, and no external type");
  }
  return std::string{name};
}

std::string encode_verify(const Call& call, const json::Value& evidence, const Binding& binding, TimePoint now) {
  auto out = request(call, "verify");
  out.append("evidence", evidence);
  out.append("report_data", base64_or_null(binding.report_data));
  out.append("init_data_digest", base64_or_null(binding.init_data_digest));
  out.append("now", format_rfc3339(now));
  return json::serialize(out);
}

std::string encode_attest(const Call& call, ByteView report_data) {
  auto out = request(call, "attest");
  out.append("report_data", codec::base64_encode(report_data));
  return json::serialize(out);
}

std::string encode_bind_init_data(const Call& call, ByteView digest) {
  auto out = request(call, "bind_init_data");
  out.append("init_data_digest", codec::base64_encode(digest));
  return json::serialize(out);
}

Result<json::Object> parse_verify_answer(std::string_view answer, const Call& call, const Binding& binding) {
  const auto parsed = TRY(parse_answer(answer, call));
  if (parsed.refusal) {
    return fail(ExternalError::refused,
                "the external " + call.type + " verifier refuses with " + parsed.refusal->text());
  }
  TRY(check_bound(parsed.result, "report_data", binding.report_data, EvidenceError::report_data_mismatch, call));
  TRY(check_bound(parsed.result, "init_data_digest", binding.init_data_digest, EvidenceError::init_data_mismatch,
                  call));
  const auto* claims = parsed.result.find("claims");
  if (claims != nullptr && claims->is_object()) return *claims->if_object();
  return bad_answer(call, "without an object of claims");
}

Result<json::Value> parse_attest_answer(std::string_view answer, const Call& call) {
  const auto parsed = TRY(parse_answer(answer, call));
  if (parsed.refusal) return attester_failed(call, *parsed.refusal);
  const auto* evidence = parsed.result.find("evidence");
  if (evidence != nullptr && !evidence->is_null()) return *evidence;
  return bad_answer(call, "without evidence");
}

Result<> parse_bind_init_data_answer(std::string_view answer, const Call& call) {
  const auto parsed = TRY(parse_answer(answer, call));
  if (parsed.refusal) return attester_failed(call, *parsed.refusal);
  return {};
}

}  // namespace coffer::evidence::external

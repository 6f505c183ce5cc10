#include "keyclient/protocol.h"

namespace coffer::keyclient {
namespace {

namespace json = codec::json;

constexpr std::string_view error_type_prefix = "https://github.com/confidential-containers/kbs/errors/";
// Deeper than any evidence, shallower than what costs stack.
constexpr json::Limits message_limits{.max_size = max_message_size, .max_depth = 32, .max_values = 1U << 18};

std::unexpected<Error> malformed(std::string_view message_name, const Error& cause) {
  return fail(ProtocolError::malformed, std::string{message_name} + ": " + cause.message);
}

// Any JSON error becomes one of ours that names the message.
Result<json::Value> parse_message(std::string_view text, std::string_view message_name) {
  if (text.size() > max_message_size) {
    return fail(ProtocolError::too_large, std::string{message_name} + " has " + std::to_string(text.size()) +
                                              " bytes, over the limit of " + std::to_string(max_message_size));
  }
  auto value = json::parse(text, message_limits);
  if (!value) return malformed(message_name, value.error());
  return value;
}

Result<const json::Object*> object_of(const json::Value& value, std::string_view message_name) {
  auto object = value.as_object(message_name);
  if (!object) return malformed(message_name, object.error());
  return object;
}

Result<std::string> text_of(const json::Object& object, std::string_view key, std::string_view message_name) {
  const auto text = json::string_member(object, key, message_name);
  if (!text) return malformed(message_name, text.error());
  return std::string{*text};
}

Result<const json::Object*> child_of(const json::Object& object, std::string_view key, std::string_view message_name) {
  auto child = json::object_member(object, key, message_name);
  if (!child) return malformed(message_name, child.error());
  return child;
}

json::Value or_empty_text(const json::Value* value) {
  return value == nullptr ? json::Value{""} : *value;
}

}  // namespace

Result<Request> Request::parse(std::string_view text) {
  return from_json(TRY(parse_message(text, "request")));
}

Result<Request> Request::from_json(const json::Value& value) {
  const auto* object = TRY(object_of(value, "request"));
  Request request;
  request.version = TRY(text_of(*object, "version", "request"));
  request.tee = TRY(text_of(*object, "tee", "request"));
  request.extra_params = or_empty_text(object->find("extra-params"));
  return request;
}

json::Object Request::to_json() const {
  return {{"version", version}, {"tee", tee}, {"extra-params", extra_params}};
}

std::string Request::serialize() const {
  return json::serialize(to_json());
}

Result<Challenge> Challenge::parse(std::string_view text) {
  return from_json(TRY(parse_message(text, "challenge")));
}

Result<Challenge> Challenge::from_json(const json::Value& value) {
  const auto* object = TRY(object_of(value, "challenge"));
  Challenge challenge;
  challenge.nonce = TRY(text_of(*object, "nonce", "challenge"));
  if (challenge.nonce.empty()) return fail(ProtocolError::malformed, "challenge: the nonce is empty");
  if (challenge.nonce.size() > max_nonce_size) {
    return fail(ProtocolError::too_large, "challenge: a nonce of " + std::to_string(challenge.nonce.size()) +
                                              " characters is over the limit of " + std::to_string(max_nonce_size));
  }
  challenge.extra_params = or_empty_text(object->find("extra-params"));
  return challenge;
}

json::Object Challenge::to_json() const {
  return {{"nonce", nonce}, {"extra-params", extra_params}};
}

std::string Challenge::serialize() const {
  return json::serialize(to_json());
}

Result<Attestation> Attestation::parse(std::string_view text) {
  const auto document = TRY(parse_message(text, "attestation"));
  const auto* object = TRY(object_of(document, "attestation"));
  const auto* runtime_data = TRY(child_of(*object, "runtime-data", "attestation"));
  const auto* evidence = TRY(child_of(*object, "tee-evidence", "attestation"));
  Attestation out;
  if (const auto* init_data = object->find("init-data"); init_data != nullptr && !init_data->is_null()) {
    out.init_data = *init_data;
  }
  out.nonce = TRY(text_of(*runtime_data, "nonce", "attestation.runtime-data"));
  out.tee_pubkey = *TRY(child_of(*runtime_data, "tee-pubkey", "attestation.runtime-data"));
  const auto* primary = evidence->find("primary_evidence");
  if (primary == nullptr) {
    return fail(ProtocolError::malformed, "attestation: tee-evidence.primary_evidence is missing");
  }
  out.primary_evidence = *primary;
  if (evidence->contains("additional_evidence")) {
    out.additional_evidence = TRY(text_of(*evidence, "additional_evidence", "attestation.tee-evidence"));
  }
  return out;
}

std::string Attestation::serialize() const {
  return json::serialize(json::Object{
      {"init-data", init_data.value_or(json::Value{})},
      {"runtime-data", json::Object{{"nonce", nonce}, {"tee-pubkey", tee_pubkey}}},
      {"tee-evidence",
       json::Object{{"primary_evidence", primary_evidence}, {"additional_evidence", additional_evidence}}},
  });
}

Result<AttestationResponse> AttestationResponse::parse(std::string_view text) {
  const auto document = TRY(parse_message(text, "attestation response"));
  const auto* object = TRY(object_of(document, "attestation response"));
  return AttestationResponse {
    TRY(text_of(*object, "token", "attestation response"))
  };
}

std::string AttestationResponse::serialize() const {
  return json::serialize(json::Object{{"token", token}});
}

ErrorInformation ErrorInformation::make(std::string_view variant, std::string detail, std::string_view code) {
  return {std::string{error_type_prefix} + std::string{variant}, std::move(detail), std::string{code}};
}

Result<ErrorInformation> ErrorInformation::parse(std::string_view text) {
  const auto document = TRY(parse_message(text, "error"));
  const auto* object = TRY(object_of(document, "error"));
  ErrorInformation out;
  out.type = TRY(text_of(*object, "type", "error"));
  out.detail = TRY(text_of(*object, "detail", "error"));
  if (const auto* code = object->find("code"); code != nullptr && code->is_string()) out.code = *code->if_string();
  return out;
}

std::string ErrorInformation::serialize() const {
  json::Object object{{"type", type}, {"detail", detail}};
  if (!code.empty()) object.set("code", code);
  return json::serialize(std::move(object));
}

std::string_view ErrorInformation::variant() const {
  const auto slash = type.rfind('/');
  return slash == std::string::npos ? std::string_view{type} : std::string_view{type}.substr(slash + 1);
}

bool ErrorInformation::is_from_broker() const {
  return type.starts_with(error_type_prefix);
}

Result<BrokerInfo> BrokerInfo::parse(std::string_view text) {
  const auto document = TRY(parse_message(text, "broker info"));
  const auto* object = TRY(object_of(document, "broker info"));
  BrokerInfo info;
  info.name = TRY(text_of(*object, "name", "broker info"));
  info.version = TRY(text_of(*object, "version", "broker info"));
  info.protocol = TRY(text_of(*object, "protocol", "broker info"));
  info.mode = TRY(text_of(*object, "mode", "broker info"));
  if (const auto* tees = object->find("tees"); tees != nullptr && tees->is_array()) {
    for (const auto& tee : *tees->if_array()) {
      if (tee.is_string()) info.tees.push_back(*tee.if_string());
    }
  }
  if (const auto* open = object->find("unattested_reads"); open != nullptr && open->is_bool()) {
    info.unattested_reads = *open->if_bool();
  }
  return info;
}

std::string BrokerInfo::serialize() const {
  json::Array names;
  for (const auto& tee : tees) names.emplace_back(tee);
  return json::serialize(json::Object{{"name", name},
                                      {"version", version},
                                      {"protocol", protocol},
                                      {"mode", mode},
                                      {"tees", std::move(names)},
                                      {"unattested_reads", unattested_reads}});
}

}  // namespace coffer::keyclient

#include "evidence/init_data.h"

#include <algorithm>

#include "codec/toml.h"

namespace coffer::evidence {

namespace json = codec::json;

namespace {

constexpr std::string_view policy_file = "policy.rego";
constexpr std::string_view policy_data_marker = "policy_data := {";

Error bad(std::string message) {
  return Error{EvidenceError::bad_init_data, std::move(message)};
}

Result<std::string> root_string(const json::Value& root, std::string_view key) {
  const auto* value = root.find(key);
  if (value != nullptr && value->is_string()) return *value->if_string();
  return fail(bad("init-data is expected to have a string \"" + std::string{key} + "\", found " +
                  (value == nullptr ? "none" : std::string{value->type_name()})));
}

// Exact lower-case names: "sha-256" and "SHA256" are refused by upstream too (trustee.md 3).
Result<crypto::HashAlgorithm> parse_algorithm(std::string_view name) {
  using enum crypto::HashAlgorithm;
  for (const auto algorithm : {sha256, sha384, sha512, sm3}) {
    if (crypto::name_of(algorithm) == name) return algorithm;
  }
  return fail(bad("init-data algorithm \"" + std::string{name.substr(0, 32)} +
                  "\" is unknown; expected sha256, sha384, sha512 or sm3"));
}

Result<json::Object> string_table(const json::Value& root) {
  const auto* data = root.find("data");
  if (data == nullptr || !data->is_object()) return fail(bad("init-data is expected to have a table [data]"));
  for (const auto& [name, value] : *data->if_object()) {
    if (!value.is_string()) {
      return fail(
          bad("init-data entry \"" + name + "\" is expected to be a string, found " + std::string{value.type_name()}));
    }
  }
  return *data->if_object();
}

// The text of the JSON object that begins `text`, up to its closing brace.
std::string_view leading_object(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return text.substr(0, i + 1);
    }
  }
  return text;
}

Result<std::optional<json::Value>> agent_policy_claims(std::string_view policy) {
  const auto at = policy.rfind(policy_data_marker);
  if (at == std::string_view::npos) return std::optional<json::Value>{};
  auto value = json::parse(leading_object(policy.substr(at + policy_data_marker.size() - 1)));
  if (!value) return fail(bad("policy_data of policy.rego is no JSON: " + value.error().message));
  return std::optional{*std::move(value)};
}

Result<json::Value> file_as_object(const std::string& name, std::string_view text) {
  auto value = codec::parse_toml(text, name);
  if (!value) return fail(bad("init-data entry " + value.error().message));
  return *std::move(value);
}

}  // namespace

Result<InitData> InitData::parse(std::string text) {
  auto root = codec::parse_toml(text, "init-data");
  if (!root) return fail(bad(root.error().message));
  InitData out;
  out.version_ = TRY(root_string(*root, "version"));
  out.algorithm_ = TRY(parse_algorithm(TRY(root_string(*root, "algorithm"))));
  out.data_ = TRY(string_table(*root));
  out.text_ = std::move(text);
  return out;
}

Result<InitData> InitData::from_wire(const json::Value& value) {
  const auto* format = value.find("format");
  const auto* body = value.find("body");
  if (format == nullptr || !format->is_string() || body == nullptr || !body->is_string()) {
    return fail(bad("init-data is expected to be {\"format\":\"toml\",\"body\":\"...\"}"));
  }
  if (*format->if_string() != "toml") {
    return fail(bad("init-data format \"" + format->if_string()->substr(0, 32) + "\" is unknown; expected toml"));
  }
  return parse(*body->if_string());
}

json::Object InitData::to_wire() const {
  return {{"format", "toml"}, {"body", text_}};
}

Bytes InitData::digest() const {
  return crypto::hash(algorithm_, as_bytes(text_));
}

Result<json::Object> InitData::claims() const {
  json::Object out;
  for (const auto& [name, value] : data_) {
    const auto& text = *value.if_string();
    if (name == policy_file) {
      if (auto policy_claims = TRY(agent_policy_claims(text)))
        out.set("agent_policy_claims", *std::move(policy_claims));
    } else if (name == "cdh.toml" || name == "aa.toml") {
      out.set(name, TRY(file_as_object(name, text)));
    } else {
      out.set(name, value);
    }
  }
  return out;
}

Bytes fit_digest(ByteView digest, std::size_t field_size) {
  Bytes out(field_size);
  std::ranges::copy(digest.first(std::min(digest.size(), field_size)), out.begin());
  return out;
}

}  // namespace coffer::evidence

#include "evidence/runtime_data.h"

#include <array>
#include <utility>

namespace coffer::evidence {

namespace json = codec::json;

namespace {

constexpr std::array binding_hashes{crypto::HashAlgorithm::sha256, crypto::HashAlgorithm::sha384,
                                    crypto::HashAlgorithm::sha512, crypto::HashAlgorithm::sm3};
constexpr std::string_view offer_key = "supported-hash-algorithms";
constexpr std::string_view selection_key = "selected-hash-algorithm";

// Members of upstream's typed key, which drops all others before hashing (trustee.md 1.5).
std::span<const std::string_view> members_of(std::string_view kty) {
  static constexpr std::array<std::string_view, 5> ec{"kty", "alg", "crv", "x", "y"};
  static constexpr std::array<std::string_view, 4> rsa{"kty", "alg", "n", "e"};
  static constexpr std::array<std::string_view, 3> akp{"kty", "alg", "pub"};
  if (kty == "EC") return ec;
  if (kty == "RSA") return rsa;
  if (kty == "AKP") return akp;
  return {};
}

Result<json::Object> known_members(const json::Value& jwk) {
  const auto* object = jwk.if_object();
  const auto* kty = jwk.find("kty");
  if (object == nullptr || kty == nullptr || kty->if_string() == nullptr) {
    return fail(EvidenceError::bad_runtime_data, "tee-pubkey is expected to be a JWK object with a string \"kty\"");
  }
  const auto members = members_of(*kty->if_string());
  if (members.empty()) {
    return fail(EvidenceError::bad_runtime_data,
                "tee-pubkey has kty \"" + kty->if_string()->substr(0, 32) + "\", expected EC, RSA or AKP");
  }
  json::Object out;
  for (const auto name : members) {
    const auto* member = object->find(name);
    if (member == nullptr || !member->is_string()) {
      return fail(EvidenceError::bad_runtime_data, "tee-pubkey of kty " + *kty->if_string() +
                                                       " is expected to have a string member \"" + std::string{name} +
                                                       "\"");
    }
    out.set(name, *member);
  }
  return out;
}

Result<std::string> canonical(json::Object form) {
  auto text = json::canonicalize(json::Value{std::move(form)});
  if (!text)
    return fail(EvidenceError::bad_runtime_data, "runtime data has no canonical form: " + text.error().message);
  return *std::move(text);
}

}  // namespace

Result<RuntimeData> RuntimeData::create(std::string nonce, const json::Value& tee_pubkey,
                                        std::string additional_evidence) {
  RuntimeData out;
  out.nonce_ = std::move(nonce);
  out.tee_pubkey_ = TRY(known_members(tee_pubkey));
  out.device_text_ = TRY(canonical(out.device_form()));
  return out.with_additional_evidence(std::move(additional_evidence));
}

Result<RuntimeData> RuntimeData::with_additional_evidence(std::string text) const {
  RuntimeData out = *this;
  out.additional_evidence_ = std::move(text);
  out.primary_text_ = TRY(canonical(out.primary_form()));
  return out;
}

json::Object RuntimeData::primary_form() const {
  auto out = device_form();
  out.set("additional-evidence", additional_evidence_);
  return out;
}

json::Object RuntimeData::device_form() const {
  return {{"nonce", nonce_}, {"tee-pubkey", tee_pubkey_}};
}

Bytes RuntimeData::primary_digest(crypto::HashAlgorithm algorithm) const {
  return crypto::hash(algorithm, as_bytes(primary_text_));
}

Bytes RuntimeData::device_digest(crypto::HashAlgorithm algorithm) const {
  return crypto::hash(algorithm, as_bytes(device_text_));
}

Result<Bytes> structured_digest(const json::Value& runtime_data, crypto::HashAlgorithm algorithm) {
  auto text = json::canonicalize(runtime_data);
  if (!text)
    return fail(EvidenceError::bad_runtime_data, "runtime data has no canonical form: " + text.error().message);
  return crypto::hash(algorithm, as_bytes(*text));
}

Result<crypto::HashAlgorithm> parse_binding_hash(std::string_view name) {
  const auto algorithm = crypto::parse_hash_algorithm(name);
  for (const auto allowed : binding_hashes) {
    if (algorithm == allowed) return allowed;
  }
  return fail(EvidenceError::unsupported_hash, "hash algorithm \"" + std::string{name.substr(0, 32)} +
                                                   "\" is unknown; expected sha256, sha384, sha512 or sm3");
}

crypto::HashAlgorithm default_binding_hash(TeeKind kind) {
  return kind == TeeKind::se ? crypto::HashAlgorithm::sha512 : crypto::HashAlgorithm::sha384;
}

json::Value offered_hash_algorithms() {
  json::Array names;
  for (const auto algorithm : binding_hashes) names.emplace_back(crypto::name_of(algorithm));
  return json::Object{{std::string{offer_key}, std::move(names)}};
}

Result<crypto::HashAlgorithm> selected_hash_algorithm(const json::Value& challenge_extra_params) {
  const auto* selected = challenge_extra_params.find(selection_key);
  if (selected == nullptr) return crypto::HashAlgorithm::sha384;
  if (const auto* name = selected->if_string()) return parse_binding_hash(*name);
  return fail(EvidenceError::unsupported_hash, "challenge member \"" + std::string{selection_key} +
                                                   "\" is expected to be a string, found " +
                                                   std::string{selected->type_name()});
}

Result<HashSelection> select_hash_algorithm(TeeKind kind, const json::Value& request_extra_params) {
  const auto algorithm = default_binding_hash(kind);
  const auto* offered = request_extra_params.find(offer_key);
  if (kind != TeeKind::se || offered == nullptr) return HashSelection{algorithm, ""};
  const auto wanted = crypto::name_of(algorithm);
  if (const auto* names = offered->if_array()) {
    for (const auto& name : *names) {
      if (const auto* text = name.if_string(); text != nullptr && crypto::parse_hash_algorithm(*text) == algorithm) {
        return HashSelection{algorithm, json::Object{{std::string{selection_key}, wanted}}};
      }
    }
  }
  return fail(EvidenceError::unsupported_hash,
              "TEE \"" + std::string{wire_name(kind)} + "\" binds with " + std::string{wanted} +
                  ", which the client does not offer: " + json::serialize(*offered).substr(0, 200));
}

}  // namespace coffer::evidence

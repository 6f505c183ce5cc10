#include "keybroker/explanation.h"

#include <algorithm>

#include "codec/base64.h"
#include "crypto/hash.h"

namespace coffer::keybroker {
namespace {

namespace json = codec::json;

// Actual values are the guest's, who may send megabytes.
json::Value bounded(const json::Value& value) {
  constexpr std::size_t most = 1024;
  auto text = json::serialize(value);
  if (text.size() <= most) return value;
  return text.substr(0, most) + " [cut]";
}

json::Object condition_json(std::string_view policy, std::string_view submodule, const policy::Condition& condition) {
  json::Object out{{"policy", policy}};
  if (!submodule.empty()) out.set("submodule", submodule);
  out.set("rule", condition.rule);
  if (condition.line != 0) out.set("line", condition.line);
  out.set("text", condition.text);
  out.set("held", condition.held);
  if (condition.claim) out.set("claim", *condition.claim);
  if (condition.expected) out.set("expected", bounded(*condition.expected));
  if (condition.actual) out.set("actual", bounded(*condition.actual));
  return out;
}

// The member of annotated evidence that is named like a TEE.
std::string tee_of(const json::Value& submodule) {
  const auto* annotated = submodule.find("ear.veraison.annotated-evidence");
  const auto* object = annotated != nullptr ? annotated->if_object() : nullptr;
  if (object == nullptr) return {};
  for (const auto& [name, value] : *object) {
    if (evidence::parse_tee_kind(name)) return name;
  }
  return {};
}

json::Object outside_affirming(const appraisal::SubmoduleResult& part, std::string_view claim, std::int8_t value) {
  return {{"policy", part.policy_id},
          {"submodule", part.name},
          {"rule", "ear.status"},
          {"text", "the issuer's appraisal is " + std::string{name_of(appraisal::tier_of(value))}},
          {"held", false},
          {"claim", "submods." + part.name + ".ear.trustworthiness-vector." + std::string{claim}},
          {"expected", "affirming: -32 to 31"},
          {"actual", value}};
}

}  // namespace

json::Array explain_policy(std::string_view policy_id, const std::vector<policy::Condition>& conditions) {
  json::Array out;
  for (const auto& condition : conditions) {
    if (out.size() == max_conditions) break;
    out.push_back(condition_json(policy_id, {}, condition));
  }
  return out;
}

json::Array explain_appraisal(const appraisal::EvaluationOutcome& outcome) {
  json::Array out;
  for (const auto& part : outcome.submodules) {
    for (const auto& condition : part.explanation) {
      if (out.size() == max_conditions) return out;
      out.push_back(condition_json(part.policy, part.name, condition));
    }
  }
  return out;
}

json::Array explain_token(const json::Object& claims) {
  json::Array out;
  const auto parts = appraisal::read_submodules(claims);
  if (!parts) return out;
  for (const auto& part : *parts) {
    for (const auto claim : appraisal::TrustVector::names) {
      const auto value = part.vector.get(claim);
      if (!value || appraisal::tier_of(*value) <= appraisal::Tier::affirming) continue;
      if (out.size() < max_conditions) out.push_back(outside_affirming(part, claim, *value));
    }
  }
  return out;
}

EvidenceSummary summarize(const json::Object& claims) {
  EvidenceSummary summary;
  const auto* parts = claims.find("submods");
  const auto* object = parts != nullptr ? parts->if_object() : nullptr;
  if (object == nullptr || object->empty()) return summary;
  summary.tee = tee_of(object->begin()->second);
  summary.claims_sha256 = codec::hex_encode(crypto::sha256(as_bytes(json::serialize(*parts))));
  const auto results = appraisal::read_submodules(claims);
  if (!results) return summary;
  auto worst = appraisal::Tier::none;
  for (const auto& part : *results) worst = std::max(worst, part.status);
  summary.status = name_of(worst);
  return summary;
}

}  // namespace coffer::keybroker

#include "appraisal/ear.h"

#include <algorithm>

#include "appraisal/error.h"

namespace coffer::appraisal {

namespace json = codec::json;

namespace {

constexpr std::array<std::string_view, 4> tier_names{"none", "affirming", "warning", "contraindicated"};

std::optional<std::size_t> index_of(std::string_view name) {
  const auto at = std::ranges::find(TrustVector::names, name);
  if (at == TrustVector::names.end()) return std::nullopt;
  return static_cast<std::size_t>(at - TrustVector::names.begin());
}

Error bad_claims(std::string message) {
  return Error{AppraisalError::bad_trust_claims, std::move(message)};
}

bool names_sample(const json::Object& annotated) {
  return annotated.contains(evidence::wire_name(evidence::TeeKind::sample)) ||
         annotated.contains(evidence::wire_name(evidence::TeeKind::sampledevice));
}

json::Object without_additional_evidence(json::Object annotated) {
  auto* claims = annotated.find("runtime_data_claims");
  if (claims != nullptr && claims->is_object()) claims->if_object()->erase("additional-evidence");
  return annotated;
}

json::Object submodule_claims(const Submodule& submodule, bool verbose) {
  json::Object out{
      {"ear.status", name_of(submodule.vector.status())},
      {"ear.trustworthiness-vector", submodule.vector.to_json()},
      {"ear.appraisal-policy-id", submodule.policy_id},
      {"ear.veraison.annotated-evidence",
       verbose ? submodule.annotated_evidence : without_additional_evidence(submodule.annotated_evidence)}};
  for (const auto& extension : submodule.extensions) out.set(extension.name, extension.value);
  return out;
}

Result<Extension> parse_extension(const json::Value& value) {
  const auto* name = value.find("name");
  const auto* key = value.find("key");
  const auto* content = value.find("value");
  const auto number = key == nullptr ? std::nullopt : key->if_int64();
  const bool fits = number && *number >= INT32_MIN && *number <= INT32_MAX;
  if (name == nullptr || !name->is_string() || !fits || content == nullptr) {
    return fail(
        bad_claims("an extension is expected to be {\"name\": string, \"key\": 32-bit integer, \"value\": any}, "
                   "found " +
                   json::serialize(value).substr(0, 200)));
  }
  // A policy must not forge what the broker itself states.
  if (name->if_string()->starts_with("ear.") && !name->if_string()->starts_with("ear.trustee.")) {
    return fail(bad_claims("the extension name \"" + *name->if_string() + "\" is reserved for the token itself"));
  }
  return Extension{*name->if_string(), static_cast<std::int32_t>(*number), *content};
}

Result<SubmoduleResult> read_submodule(const std::string& name, const json::Value& value) {
  SubmoduleResult out{.name = name};
  const auto* status = value.find("ear.status");
  const auto tier = status == nullptr || !status->is_string() ? std::nullopt : parse_tier(*status->if_string());
  if (!tier) {
    return fail(AppraisalError::bad_response, "submodule \"" + name +
                                                  "\" is expected to have an ear.status of none, "
                                                  "affirming, warning or contraindicated");
  }
  out.status = *tier;
  if (const auto* vector = value.find("ear.trustworthiness-vector")) out.vector = TRY(TrustVector::parse(*vector));
  if (const auto* id = value.find("ear.appraisal-policy-id"); id != nullptr && id->is_string()) {
    out.policy_id = *id->if_string();
  }
  return out;
}

}  // namespace

std::string_view name_of(Tier tier) {
  return tier_names[static_cast<std::size_t>(tier)];
}

std::optional<Tier> parse_tier(std::string_view name) {
  const auto at = std::ranges::find(tier_names, name);
  if (at == tier_names.end()) return std::nullopt;
  return static_cast<Tier>(at - tier_names.begin());
}

// AR4SI section 2.3: symmetric bands around zero.
Tier tier_of(std::int8_t value) {
  if (value >= -1 && value <= 1) return Tier::none;
  if (value >= -32 && value <= 31) return Tier::affirming;
  if (value >= -96 && value <= 95) return Tier::warning;
  return Tier::contraindicated;
}

TrustVector TrustVector::zeros() {
  TrustVector out;
  out.values_.fill(0);
  return out;
}

Result<TrustVector> TrustVector::parse(const json::Value& value) {
  const auto* claims = value.if_object();
  if (claims == nullptr) {
    return fail(bad_claims("trust claims are expected to be an object from name to integer, found " +
                           std::string{value.type_name()}));
  }
  if (claims->empty()) return fail(bad_claims("trust claims are expected to hold at least one claim, found none"));
  TrustVector out;
  for (const auto& [name, claim] : *claims) {
    const auto number = claim.if_int64();
    if (!number || *number < INT8_MIN || *number > INT8_MAX) {
      return fail(bad_claims("trust claim \"" + name + "\" is expected to be an integer from -128 to 127, found " +
                             json::serialize(claim).substr(0, 100)));
    }
    TRY(out.set(name, static_cast<std::int8_t>(*number)));
  }
  return out;
}

std::optional<std::int8_t> TrustVector::get(std::string_view name) const {
  const auto index = index_of(name);
  return index ? values_[*index] : std::nullopt;
}

Result<> TrustVector::set(std::string_view name, std::int8_t value) {
  const auto index = index_of(name);
  if (!index) {
    std::string known;
    for (const auto each : names) known += (known.empty() ? "" : ", ") + std::string{each};
    return fail(bad_claims("trust claim \"" + std::string{name.substr(0, 64)} + "\" is unknown; known are " + known));
  }
  values_[*index] = value;
  return {};
}

Tier TrustVector::status() const {
  auto worst = Tier::none;
  for (const auto& value : values_) {
    if (value) worst = std::max(worst, tier_of(*value));
  }
  return worst;
}

json::Object TrustVector::to_json() const {
  json::Object out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (const auto& value = values_[i]) out.set(names[i], static_cast<std::int64_t>(*value));
  }
  return out;
}

Result<std::vector<Extension>> parse_extensions(const json::Value& value) {
  const auto* array = value.if_array();
  if (array == nullptr) {
    return fail(bad_claims("extensions are expected to be an array, found " + std::string{value.type_name()}));
  }
  std::vector<Extension> out;
  for (const auto& element : *array) out.push_back(TRY(parse_extension(element)));
  return out;
}

json::Object annotate(AnnotatedEvidence parts) {
  json::Object out{{std::string{wire_name(parts.tee)}, std::move(parts.claims.claims)}};
  if (parts.claims.report_data) {
    out.set("report_data", *std::move(parts.claims.report_data));
    out.set("runtime_data_claims", std::move(parts.runtime_data_claims));
  }
  if (parts.claims.init_data) {
    out.set("init_data", *std::move(parts.claims.init_data));
    out.set("init_data_claims", std::move(parts.init_data_claims));
  }
  if (parts.claims.simulated_root) out.set("simulated_root", *std::move(parts.claims.simulated_root));
  return out;
}

json::Object ear_claims(const std::vector<Submodule>& submodules, const EarOptions& options, TimePoint now) {
  json::Object submods;
  bool sample = false;
  json::Array simulated;
  for (const auto& submodule : submodules) {
    sample = sample || names_sample(submodule.annotated_evidence);
    if (const auto* root = submodule.annotated_evidence.find("simulated_root")) simulated.push_back(*root);
    submods.set(submodule.name, submodule_claims(submodule, options.verbose_token));
  }
  json::Object out{{"eat_profile", options.profile},
                   {"iat", to_unix_seconds(now)},
                   {"ear.verifier-id", json::Object{{"developer", options.developer}, {"build", options.build}}},
                   {"submods", std::move(submods)},
                   {"exp", to_unix_seconds(now + options.lifetime)},
                   {"iss", options.issuer}};
  if (sample) out.set("coffer.sample", true);
  if (!simulated.empty()) out.set("coffer.simulated", std::move(simulated));
  return out;
}

Result<std::vector<SubmoduleResult>> read_submodules(const json::Object& claims) {
  const auto* submods = claims.find("submods");
  if (submods == nullptr || !submods->is_object() || submods->if_object()->empty()) {
    return fail(AppraisalError::bad_response, "an attestation result is expected to have submods, found none");
  }
  std::vector<SubmoduleResult> out;
  for (const auto& [name, value] : *submods->if_object()) out.push_back(TRY(read_submodule(name, value)));
  return out;
}

}  // namespace coffer::appraisal

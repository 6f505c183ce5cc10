#include "appraisal/attestation_service.h"

#include "evidence/composite.h"

namespace coffer::appraisal {

namespace json = codec::json;

namespace {

json::Object condition_json(const policy::Condition& condition) {
  json::Object out{{"rule", condition.rule}};
  if (condition.line != 0) out.set("line", condition.line);
  out.set("text", condition.text);
  out.set("held", condition.held);
  if (condition.claim) out.set("claim", *condition.claim);
  if (condition.actual) out.set("actual", *condition.actual);
  if (condition.expected) out.set("expected", *condition.expected);
  return out;
}

json::Object submodule_json(const SubmoduleOutcome& submodule) {
  json::Array conditions;
  for (const auto& condition : submodule.explanation) conditions.emplace_back(condition_json(condition));
  return {{"submodule", submodule.name},         {"tee", submodule.tee},
          {"status", name_of(submodule.status)}, {"trustworthiness-vector", submodule.vector.to_json()},
          {"policy", submodule.policy},          {"conditions", std::move(conditions)}};
}

}  // namespace

Result<EvaluationRequest> rcar_evaluation(evidence::TeeKind tee, json::Value primary_evidence,
                                          const evidence::RuntimeData& runtime_data,
                                          std::optional<evidence::InitData> init_data) {
  EvaluationRequest out;
  out.evidence.push_back({.tee = tee,
                          .evidence = std::move(primary_evidence),
                          .runtime_data = json::Value{runtime_data.primary_form()},
                          .hash = evidence::default_binding_hash(tee)});
  if (init_data) out.evidence.front().init_data = *std::move(init_data);
  for (auto& device : TRY(evidence::parse_additional_evidence(runtime_data.additional_evidence()))) {
    out.evidence.push_back({.tee = device.tee,
                            .evidence = std::move(device.evidence),
                            .runtime_data = json::Value{runtime_data.device_form()}});
  }
  return out;
}

json::Array EvaluationOutcome::to_json() const {
  json::Array out;
  for (const auto& submodule : submodules) out.emplace_back(submodule_json(submodule));
  return out;
}

}  // namespace coffer::appraisal

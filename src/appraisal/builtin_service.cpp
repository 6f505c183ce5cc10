#include "appraisal/builtin_service.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "appraisal/detail/explanation.h"
#include "appraisal/detail/external_claims.h"
#include "appraisal/detail/measured_boot.h"
#include "codec/base64.h"

namespace coffer::appraisal {

namespace json = codec::json;

// One policy's decision on one device.
struct BuiltinAttestationService::Verdict {
  std::string policy;
  TrustVector vector{};
  std::vector<Extension> extensions{};
  std::vector<policy::Condition> explanation{};
};

// What grows while the pieces of evidence of one request are worked off.
struct BuiltinAttestationService::Appraisal {
  TimePoint now;
  std::vector<Submodule> submodules{};
  std::vector<SubmoduleOutcome> outcomes{};
  std::map<std::string, int> devices_of_class{};

  void add(evidence::TeeKind tee, const std::string& device_class, std::string policy_id, json::Object annotated,
           Verdict verdict) {
    const auto name = device_class + std::to_string(devices_of_class[device_class]++);
    outcomes.push_back({.name = name,
                        .tee = std::string{wire_name(tee)},
                        .status = verdict.vector.status(),
                        .vector = verdict.vector,
                        .policy = std::move(verdict.policy),
                        .explanation = std::move(verdict.explanation)});
    submodules.push_back({.name = name,
                          .vector = verdict.vector,
                          .policy_id = std::move(policy_id),
                          .annotated_evidence = std::move(annotated),
                          .extensions = std::move(verdict.extensions)});
  }
};

namespace {

constexpr std::size_t nonce_size = 32;
constexpr std::string_view default_policy_id = "default";

// The digest that the evidence must carry; raw data goes to the verifier as it is (trustee.md 6.1).
Result<std::optional<Bytes>> bound_report_data(const EvidenceRequest& request) {
  if (const auto* raw = std::get_if<Bytes>(&request.runtime_data)) return std::optional{*raw};
  const auto* structured = std::get_if<json::Value>(&request.runtime_data);
  if (structured == nullptr) return std::optional<Bytes>{};
  const auto hash = request.hash.value_or(crypto::HashAlgorithm::sha384);
  return std::optional {
    TRY(evidence::structured_digest(*structured, hash))
  };
}

std::optional<Bytes> bound_init_data(const EvidenceRequest& request) {
  if (const auto* digest = std::get_if<Bytes>(&request.init_data)) return *digest;
  if (const auto* init_data = std::get_if<evidence::InitData>(&request.init_data)) return init_data->digest();
  return std::nullopt;
}

Result<json::Value> init_data_claims(const EvidenceRequest& request) {
  const auto* init_data = std::get_if<evidence::InitData>(&request.init_data);
  if (init_data == nullptr) return json::Value{};
  return json::Value {
    TRY(init_data->claims())
  };
}

json::Value runtime_data_claims(const EvidenceRequest& request) {
  const auto* structured = std::get_if<json::Value>(&request.runtime_data);
  return structured == nullptr ? json::Value{} : *structured;
}

}  // namespace

BuiltinAttestationService::BuiltinAttestationService(BuiltinOptions options, TokenSigner signer)
    : options_(std::move(options)),
      signer_(std::move(signer)),
      policies_(options_.store),
      reference_values_(options_.store, options_.clock) {}

Result<std::shared_ptr<BuiltinAttestationService>> BuiltinAttestationService::create(BuiltinOptions options) {
  auto signer =
      options.signer ? *options.signer : TRY(TokenSigner::load_or_create(*options.store, options.clock.now()));
  auto service =
      std::shared_ptr<BuiltinAttestationService>{new BuiltinAttestationService{std::move(options), std::move(signer)}};
  TRY(service->policies_.install_defaults());
  return service;
}

Result<Challenge> BuiltinAttestationService::challenge(evidence::TeeKind tee, const json::Value& extra_params) {
  TRY(options_.registry->verifier(tee));
  auto selection = TRY(evidence::select_hash_algorithm(tee, extra_params));
  return Challenge{codec::base64_encode(options_.random.bytes(nonce_size)), std::move(selection.extra_params)};
}

Result<EvaluationOutcome> BuiltinAttestationService::evaluate(const EvaluationRequest& request) {
  if (request.evidence.empty()) {
    return fail(AppraisalError::bad_request, "at least one piece of evidence is expected, found none");
  }
  // Upstream ignores further ids as well.
  const std::string policy_id{request.policy_ids.empty() ? default_policy_id : request.policy_ids.front()};
  Appraisal appraisal{.now = options_.clock.now()};
  for (const auto& evidence : request.evidence) {
    auto done = appraise(evidence, policy_id, appraisal);
    if (!done) return fail(std::move(done).error().with("tee", std::string{wire_name(evidence.tee)}));
  }
  EvaluationOutcome out;
  out.token = TRY(signer_.sign(ear_claims(appraisal.submodules, options_.ear, appraisal.now)));
  out.submodules = std::move(appraisal.outcomes);
  for (const auto& submodule : out.submodules) out.status = std::max(out.status, submodule.status);
  out.sample = std::ranges::any_of(request.evidence, evidence::is_sample, &EvidenceRequest::tee);
  out.simulated = std::ranges::any_of(
      appraisal.submodules, [](const auto& each) { return each.annotated_evidence.contains("simulated_root"); });
  return out;
}

Result<> BuiltinAttestationService::appraise(const EvidenceRequest& request, const std::string& policy_id,
                                             Appraisal& appraisal) const {
  const auto* verifier = TRY(options_.registry->verifier(request.tee));
  const auto report_data = TRY(bound_report_data(request));
  const evidence::Binding binding{report_data, bound_init_data(request)};
  auto devices = TRY(verifier->verify(request.evidence, binding, appraisal.now));
  // Only now does the init-data belong to the guest, and only now are its entries parsed.
  const auto init_data = TRY(init_data_claims(request));
  for (auto& claims : devices) {
    auto device_class =
        claims.device_class.empty() ? std::string{evidence::device_class(request.tee)} : claims.device_class;
    auto annotated = annotate({.tee = request.tee,
                               .claims = std::move(claims),
                               .init_data_claims = init_data,
                               .runtime_data_claims = runtime_data_claims(request)});
    std::string policy = policy_id;
    policy.append("_").append(device_class);
    auto verdict = TRY(judge(annotated, policy));
    if (verdict.vector.status() != Tier::affirming) TRY(explain_by_references(request.tee, annotated, verdict));
    appraisal.add(request.tee, device_class, policy_id, std::move(annotated), std::move(verdict));
  }
  return {};
}

// First of all reasons, because neither a register's value nor a rule over named claims says anything to people.
Result<> BuiltinAttestationService::explain_by_references(evidence::TeeKind tee, const json::Object& annotated,
                                                          Verdict& verdict) const {
  const auto query = [this](const std::string& id) { return reference_values_.query(id); };
  auto conditions = TRY(detail::measured_boot_conditions(tee, annotated, query));
  auto claims = TRY(detail::external_claim_conditions(annotated, query));
  std::ranges::move(claims, std::back_inserter(conditions));
  verdict.explanation.insert(verdict.explanation.begin(), std::make_move_iterator(conditions.begin()),
                             std::make_move_iterator(conditions.end()));
  return {};
}

// An affirming verdict needs no explanation, and that is the common case. Any other is asked for again with reasons.
// They explain the first answer only where the second is the same; both see the same reference values.
Result<BuiltinAttestationService::Verdict> BuiltinAttestationService::judge(const json::Object& annotated,
                                                                            const std::string& policy_id) const {
  const auto policy = TRY(policies_.load(policy_id));
  const auto vector_of = [](const policy::Evaluation& evaluation) -> Result<TrustVector> {
    if (!evaluation.value) return TrustVector::zeros();
    return TrustVector::parse(*evaluation.value);
  };
  Verdict out{.policy = policy_id};
  const auto reference_values = once_each();
  out.vector = TRY(vector_of(TRY(evaluate_rule(*policy, "trust_claims", annotated, reference_values, false))));
  if (out.vector.status() != Tier::affirming) {
    auto explained = TRY(evaluate_rule(*policy, "trust_claims", annotated, reference_values, true));
    if (TRY(vector_of(explained)) != out.vector) {
      return fail(AppraisalError::undecided, "policy " + policy_id + " gave other trust claims for the same evidence " +
                                                 "when it was asked for its reasons");
    }
    out.explanation = detail::relevant_conditions(std::move(explained.conditions), annotated, out.vector);
  }
  if (policy->text().find("extensions") != std::string::npos) {
    const auto extensions = TRY(evaluate_rule(*policy, "extensions", annotated, reference_values, false));
    if (extensions.value) out.extensions = TRY(parse_extensions(*extensions.value));
  }
  return out;
}

// Never called by two threads at once: an evaluation has one, and the next begins when it is over.
policy::ReferenceValues BuiltinAttestationService::once_each() const {
  auto known = std::make_shared<std::map<std::string, std::optional<json::Value>>>();
  return [this, known](const std::string& id) -> Result<std::optional<json::Value>> {
    const auto found = known->find(id);
    if (found != known->end()) return found->second;
    return known->emplace(id, TRY(reference_values_.query(id))).first->second;
  };
}

Result<policy::Evaluation> BuiltinAttestationService::evaluate_rule(const policy::Policy& policy, std::string_view rule,
                                                                    const json::Object& annotated,
                                                                    const policy::ReferenceValues& reference_values,
                                                                    bool explain) const {
  return policy.evaluate({.query = "data.policy." + std::string{rule},
                          .input = json::Value{annotated},
                          .reference_values = reference_values,
                          .budget = options_.policy_budget,
                          .explain = explain});
}

Result<> BuiltinAttestationService::set_policy(std::string_view id, std::string_view text) {
  return policies_.set(id, text);
}

Result<std::optional<std::string>> BuiltinAttestationService::get_policy(std::string_view id) {
  return policies_.text(id);
}

Result<std::vector<std::string>> BuiltinAttestationService::list_policies() {
  return policies_.list();
}

Result<bool> BuiltinAttestationService::delete_policy(std::string_view id) {
  return policies_.erase(id);
}

Result<> BuiltinAttestationService::register_reference_values(std::string_view message) {
  TRY(reference_values_.register_message(message));
  return {};
}

Result<std::optional<json::Value>> BuiltinAttestationService::query_reference_value(std::string_view name) {
  return reference_values_.query(name);
}

Result<std::vector<ReferenceValue>> BuiltinAttestationService::list_reference_values() {
  return reference_values_.list();
}

Result<bool> BuiltinAttestationService::delete_reference_value(std::string_view name) {
  return reference_values_.erase(name);
}

}  // namespace coffer::appraisal

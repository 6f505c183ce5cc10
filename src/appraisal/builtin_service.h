// The attestation service in this process.
#pragma once

#include <memory>

#include "appraisal/attestation_service.h"
#include "appraisal/policies.h"
#include "appraisal/token_signer.h"
#include "base/clock.h"
#include "crypto/random.h"
#include "evidence/registry.h"

namespace coffer::appraisal {

struct BuiltinOptions {
  std::shared_ptr<storage::KeyValueStore> store;  // policies, reference values, and the signer where none is given
  std::shared_ptr<const evidence::Registry> registry;
  std::optional<TokenSigner> signer{};  // nothing: TokenSigner::load_or_create on the store
  EarOptions ear{};
  Duration policy_budget = std::chrono::seconds{2};
  const Clock& clock = system_clock();
  crypto::RandomSource& random = crypto::system_random();
};

class BuiltinAttestationService final : public AttestationService {
 public:
  // Installs the default policies where they are absent.
  static Result<std::shared_ptr<BuiltinAttestationService>> create(BuiltinOptions options);

  const TokenSigner& signer() const { return signer_; }
  ReferenceValueStore& reference_values() { return reference_values_; }

  std::string_view name() const override { return "coco_as_builtin"; }
  Result<Challenge> challenge(evidence::TeeKind tee, const codec::json::Value& extra_params) override;
  Result<EvaluationOutcome> evaluate(const EvaluationRequest& request) override;
  Result<> set_policy(std::string_view id, std::string_view text) override;
  Result<std::optional<std::string>> get_policy(std::string_view id) override;
  Result<std::vector<std::string>> list_policies() override;
  Result<bool> delete_policy(std::string_view id) override;
  Result<> register_reference_values(std::string_view message) override;
  Result<std::optional<codec::json::Value>> query_reference_value(std::string_view name) override;
  Result<std::vector<ReferenceValue>> list_reference_values() override;
  Result<bool> delete_reference_value(std::string_view name) override;

 private:
  BuiltinAttestationService(BuiltinOptions options, TokenSigner signer);
  struct Verdict;
  struct Appraisal;
  Result<> appraise(const EvidenceRequest& request, const std::string& policy_id, Appraisal& appraisal) const;
  Result<> explain_by_references(evidence::TeeKind tee, const codec::json::Object& annotated, Verdict& verdict) const;
  Result<Verdict> judge(const codec::json::Object& annotated, const std::string& policy_id) const;
  Result<policy::Evaluation> evaluate_rule(const policy::Policy& policy, std::string_view rule,
                                           const codec::json::Object& annotated,
                                           const policy::ReferenceValues& reference_values, bool explain) const;
  // The stored reference values, each as it was when it was first asked for.
  policy::ReferenceValues once_each() const;

  BuiltinOptions options_;
  TokenSigner signer_;
  PolicyStore policies_;
  ReferenceValueStore reference_values_;
};

}  // namespace coffer::appraisal

// The attestation service as a key broker sees it: built in, or upstream's over gRPC (grpc/client.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "appraisal/ear.h"
#include "appraisal/error.h"
#include "appraisal/reference_values.h"
#include "crypto/hash.h"
#include "evidence/init_data.h"
#include "evidence/runtime_data.h"
#include "policy/engine.h"

namespace coffer::appraisal {

struct Challenge {
  std::string nonce;                // base64 of 32 random bytes; for se a JSON text
  codec::json::Value extra_params;  // "" or {"selected-hash-algorithm":"sha512"}
};

// One piece of evidence and what it must be bound to (trustee.md 6.1).
struct EvidenceRequest {
  evidence::TeeKind tee;
  codec::json::Value evidence;
  // Structured data is canonicalised and hashed; raw bytes go to the verifier as they are; neither: empty report data.
  std::variant<std::monostate, codec::json::Value, Bytes> runtime_data{};
  // The init-data itself, or its digest alone.
  std::variant<std::monostate, evidence::InitData, Bytes> init_data{};
  std::optional<crypto::HashAlgorithm> hash{};  // nothing: SHA-384 (upstream's "")
};

struct EvaluationRequest {
  std::vector<EvidenceRequest> evidence;  // at least one
  std::vector<std::string> policy_ids{};  // empty: {"default"}
};

// The request that an RCAR attestation makes: the primary evidence with the primary form of the runtime data and the
// init-data, each additional device with the device form and without init-data (trustee.md 1.5).
Result<EvaluationRequest> rcar_evaluation(evidence::TeeKind tee, codec::json::Value primary_evidence,
                                          const evidence::RuntimeData& runtime_data,
                                          std::optional<evidence::InitData> init_data = std::nullopt);

// Why a submodule got its verdict, for the owner and the audit record, never for the guest.
struct SubmoduleOutcome {
  std::string name;  // "cpu0"
  std::string tee;   // wire name; empty where a remote service did not say
  Tier status = Tier::none;
  TrustVector vector{};
  std::string policy;                            // "default_cpu"
  std::vector<policy::Condition> explanation{};  // failing conditions of the deciding evaluation; empty where affirming
};

struct EvaluationOutcome {
  std::string token;  // the JWT
  std::vector<SubmoduleOutcome> submodules{};
  Tier status = Tier::none;  // the worst
  bool sample = false;       // a TEE that proves nothing took part
  bool simulated = false;    // evidence under a simulator's root took part
  // [{"submodule","tee","status","trustworthiness-vector","policy","conditions":[{"rule","line","text","held","claim",
  // "actual","expected"}]}] for audit records and `coffer explain`.
  codec::json::Array to_json() const;
};

class AttestationService {
 public:
  virtual ~AttestationService() = default;
  virtual std::string_view name() const = 0;  // "coco_as_builtin", "coco_as_grpc"

  // tee_not_allowed or not_supported already here, so that a guest without a chance learns it before it attests.
  virtual Result<Challenge> challenge(evidence::TeeKind tee, const codec::json::Value& extra_params) = 0;
  // A contraindicated verdict is a success with that status; errors are evidence that could not be appraised.
  virtual Result<EvaluationOutcome> evaluate(const EvaluationRequest& request) = 0;

  virtual Result<> set_policy(std::string_view id, std::string_view text) = 0;
  virtual Result<std::optional<std::string>> get_policy(std::string_view id) = 0;
  virtual Result<std::vector<std::string>> list_policies() = 0;
  virtual Result<bool> delete_policy(std::string_view id) = 0;

  virtual Result<> register_reference_values(std::string_view message) = 0;
  virtual Result<std::optional<codec::json::Value>> query_reference_value(std::string_view name) = 0;
  virtual Result<std::vector<ReferenceValue>> list_reference_values() = 0;
  virtual Result<bool> delete_reference_value(std::string_view name) = 0;
};

}  // namespace coffer::appraisal

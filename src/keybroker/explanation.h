// Reasons for the owner, as JSON: {"policy","submodule"?,"rule","line","text","held","claim"?,"expected"?,"actual"?}.
#pragma once

#include <string_view>
#include <vector>

#include "appraisal/attestation_service.h"
#include "codec/json.h"
#include "policy/engine.h"

namespace coffer::keybroker {

// At most this many conditions go into one record.
inline constexpr std::size_t max_conditions = 32;

// Conditions of the resource policy's deciding evaluation, failing ones first.
codec::json::Array explain_policy(std::string_view policy_id, const std::vector<policy::Condition>& conditions);

// Why parts of the evidence are not affirming, from the attestation service's own evaluation.
codec::json::Array explain_appraisal(const appraisal::EvaluationOutcome& outcome);

// The same from a token alone, where another broker appraised: each claim of the trustworthiness vectors outside the
// affirming band (AR4SI: -32..31).
codec::json::Array explain_token(const codec::json::Object& claims);

// What records say about a token's evidence.
struct EvidenceSummary {
  std::string tee;            // wire name of the first submodule's TEE
  std::string status;         // the worst tier, "contraindicated"; empty where the token has no submodules
  std::string claims_sha256;  // of the submodules' JSON
};
EvidenceSummary summarize(const codec::json::Object& claims);

}  // namespace coffer::keybroker

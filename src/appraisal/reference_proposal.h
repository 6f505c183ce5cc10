// Reference values that evidence known to be good would set: what the default policies compare each claim with.
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/tee.h"

namespace coffer::appraisal {

struct ProposedReference {
  std::string name;          // "snp_launch_measurement"
  codec::json::Value value;  // a list where the policy asks "in", the bare value where it asks "=="
  std::string claim;         // "snp.measurement"
};

// For the default policies' reference values (trustee.md 3.2), in the policies' order. Claims that the evidence does
// not have are left out, and registers that are still zero; a TEE without rules in the default policies has none.
std::vector<ProposedReference> propose_references(evidence::TeeKind tee, const codec::json::Object& claims);

}  // namespace coffer::appraisal

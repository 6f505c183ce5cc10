// Which claims of a TEE of the owner's own are not as the owner's reference values have them: the default policy asks
// for them by names that stand in reference values, so that its text alone tells nobody which one it was.
#pragma once

#include <vector>

#include "codec/json.h"
#include "policy/engine.h"

namespace coffer::appraisal::detail {

// One condition a claim that is named by "external_<type>_executables", ..._hardware or ..._configuration and is none
// of "external_<type>_<claim>" (docs/tees/external.md). It decides nothing: the policy has. Empty for evidence of other
// TEEs, and where no claim is named.
Result<std::vector<policy::Condition>> external_claim_conditions(const codec::json::Object& annotated,
                                                                 const policy::ReferenceValues& reference_values);

}  // namespace coffer::appraisal::detail

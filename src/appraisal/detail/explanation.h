// Which of an evaluation's conditions say why a device was not affirmed.
#pragma once

#include <vector>

#include "appraisal/ear.h"
#include "policy/engine.h"

namespace coffer::appraisal::detail {

// Failing conditions only; without those that merely ask for another kind of TEE than the one in `input` ("input.snp"
// for a TDX guest), and without those of a rule whose trust claim is affirming in spite of them.
std::vector<policy::Condition> relevant_conditions(std::vector<policy::Condition> conditions,
                                                   const codec::json::Object& input, const TrustVector& vector);

}  // namespace coffer::appraisal::detail

// Why a policy decided as it did. Which conditions were reached is what the deciding evaluation itself recorded (its
// line coverage); values of operands are asked of the same engine, with the same input and the reference values that
// it read. Nothing here is a second rule set.
#pragma once

#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "policy/detail/outline.h"
#include "policy/engine.h"

namespace coffer::policy::detail {

// The value of a Rego expression in the evaluation that decided; nothing where it is undefined, an error where it
// cannot be known (it depends on a loop variable).
using Probe = std::function<Result<std::optional<codec::json::Value>>(const std::string& expression)>;

// Failing conditions first, those that came furthest in their rule leading.
std::vector<Condition> explain(const Outline& outline, std::string_view text,
                               const std::set<std::size_t>& covered_lines, const Probe& probe);

}  // namespace coffer::policy::detail

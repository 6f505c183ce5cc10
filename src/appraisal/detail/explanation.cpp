#include "appraisal/detail/explanation.h"

#include <algorithm>

namespace coffer::appraisal::detail {

namespace {

// "sample" of `input.sample.svn`, "az-snp-vtpm" of `input["az-snp-vtpm"].tpm`; empty where it is no path into input.
std::string_view first_member(std::string_view claim) {
  constexpr std::string_view root = "input";
  if (!claim.starts_with(root)) return {};
  claim.remove_prefix(root.size());
  if (claim.starts_with("[\"")) {
    claim.remove_prefix(2);
    return claim.substr(0, claim.find('"'));
  }
  if (!claim.starts_with('.')) return {};
  claim.remove_prefix(1);
  return claim.substr(0, claim.find_first_of(".["));
}

bool asks_for_another_tee(const policy::Condition& condition, const codec::json::Object& input) {
  if (!condition.claim) return false;
  const auto member = first_member(*condition.claim);
  if (member.empty() || input.contains(member)) return false;
  const auto kinds = evidence::all_tee_kinds();
  return std::ranges::find(kinds, member, evidence::wire_name) != kinds.end();
}

// Rego identifiers have underscores where trust claims have hyphens.
bool claim_is_affirming(std::string rule, const TrustVector& vector) {
  std::ranges::replace(rule, '_', '-');
  const auto value = vector.get(rule);
  return value && tier_of(*value) <= Tier::affirming;
}

}  // namespace

std::vector<policy::Condition> relevant_conditions(std::vector<policy::Condition> conditions,
                                                   const codec::json::Object& input, const TrustVector& vector) {
  std::erase_if(conditions, [&](const policy::Condition& condition) {
    return condition.held || asks_for_another_tee(condition, input) || claim_is_affirming(condition.rule, vector);
  });
  return conditions;
}

}  // namespace coffer::appraisal::detail

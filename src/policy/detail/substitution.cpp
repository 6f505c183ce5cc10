#include "policy/detail/substitution.h"

namespace coffer::policy::detail {
namespace {

// Chains of assignments double their text in the worst case (x1 := x0 + x0, ...): longer ones stay as they are.
constexpr std::size_t max_expression = std::size_t{16} * 1024;

}  // namespace

void Substitution::bind(const std::string& name, const Operand& operand) {
  auto expression = apply(operand);
  if (expression.size() > max_expression) return;
  bound_.insert_or_assign(name, Bound{std::move(expression), operand.reference});
}

void Substitution::bind_text(const std::string& name, std::string expression) {
  bound_.insert_or_assign(name, Bound{std::move(expression), true});
}

std::string Substitution::replacement(const Variable& variable, char next) const {
  const auto bound = bound_.find(variable.name);
  if (bound != bound_.end()) {
    // Rego takes no member of a parenthesised expression.
    const bool bare = bound->second.reference || next == '.' || next == '[';
    return bare ? bound->second.expression : "(" + bound->second.expression + ")";
  }
  const bool global = variable.name == "input" || variable.name == "data";
  return !global && outline_->defines(variable.name) ? "data.policy." + variable.name : variable.name;
}

std::string Substitution::apply(const Operand& operand) const {
  std::string out;
  auto at = operand.range.begin;
  for (const auto& variable : operand.variables) {
    if (variable.range.begin < at || variable.range.end > operand.range.end) continue;
    out += TextRange{at, variable.range.begin}.of(text_);
    const char next = variable.range.end < operand.range.end ? text_[variable.range.end] : '\0';
    out += replacement(variable, next);
    at = variable.range.end;
  }
  out += TextRange{at, operand.range.end}.of(text_);
  return out;
}

std::optional<std::string> Substitution::claim(const Operand& operand) const {
  if (!operand.reference) return std::nullopt;
  auto path = apply(operand);
  for (const std::string_view root : {"input.", "input[", "data.", "data["}) {
    if (path.starts_with(root) && !path.starts_with("data.policy.")) return path;
  }
  return std::nullopt;
}

}  // namespace coffer::policy::detail

// Rewrites an operand of a rule's body into an expression that stands on its own: local variables by what was assigned
// to them, rules of the package by their full path.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "policy/detail/outline.h"

namespace coffer::policy::detail {

class Substitution {
 public:
  Substitution(const Outline& outline, std::string_view text) : outline_(&outline), text_(text) {}

  // From here on `name` stands for `operand`, or for an expression that needs no parentheses.
  void bind(const std::string& name, const Operand& operand);
  void bind_text(const std::string& name, std::string expression);

  std::string apply(const Operand& operand) const;

  // The path where the operand is one into the input or the data, "input.sample.svn"; through variables too.
  std::optional<std::string> claim(const Operand& operand) const;

 private:
  struct Bound {
    std::string expression;
    bool reference;
  };

  std::string replacement(const Variable& variable, char next) const;

  const Outline* outline_;
  std::string_view text_;
  std::map<std::string, Bound, std::less<>> bound_;
};

}  // namespace coffer::policy::detail

// What an explanation needs of a policy's syntax tree: rules, their bodies, the statements of these, and where in the
// text the operands of a comparison and the variables in them stand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace coffer::policy::detail {

// Byte offsets into the policy's text.
struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
};

struct Variable {
  std::string name;
  TextRange range;
};

struct Operand {
  TextRange range;
  std::vector<Variable> variables{};  // in their order, those inside comprehensions included
  bool reference = false;             // a variable with members or indexes: input.a["b"]
};

enum class StatementKind {
  comparison,  // ==, !=, <, <=, >, >= or in
  assignment,  // x := operand, where x is a variable
  negation,    // not ...
  iteration,   // some ... in operand
  every,       // every k, v in operand { ... }
  expression,  // anything else that is true or not
};

struct Statement {
  StatementKind kind = StatementKind::expression;
  std::size_t line = 0;
  Operand whole{};                  // the statement as one operand
  std::vector<Operand> operands{};  // comparison: two; the others: one; expression: itself
  std::string key{};                // every: its names, `key` may be empty; assignment: `value` is the name
  std::string value{};
  std::vector<Statement> inner{};  // every
};

struct Body {
  std::optional<std::size_t> value_line{};  // where the value that this body gives the rule stands
  std::vector<Statement> statements{};
};

struct OutlineRule {
  std::string name;
  std::vector<Body> bodies{};
};

struct Outline {
  std::vector<OutlineRule> rules{};  // rules that can be explained: with a body, and no function
  std::vector<std::string> names{};  // of all rules and functions of the package, sorted

  bool defines(std::string_view name) const;
};

// From regorus' syntax tree (0.14.1, feature `ast`, as JSON) and the text that it was made of. Parts that it
// does not know are left out.
Result<Outline> read_outline(std::string_view syntax_tree, std::string_view text);

}  // namespace coffer::policy::detail

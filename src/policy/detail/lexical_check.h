// What is checked on the text of a policy before regorus parses it. Its parser reads each literal in brackets or braces
// twice, nested ones 4, 8, ... times (regorus 0.14.1, 16 levels take a second), and recurses without a bound over
// chains of operators; both are measured here in one pass that does neither.
#pragma once

#include <string_view>

#include "base/result.h"

namespace coffer::policy::detail {

struct LexicalLimits {
  std::size_t max_size = 1U << 20;         // bytes
  std::size_t max_literal_depth = 12;      // arrays, sets, objects and comprehensions inside each other
  std::size_t max_depth = 30;              // the same with parentheses, indexes and rule bodies
  std::size_t max_chain = 400;             // operands of one expression: a + b + c, a.b.c
  std::size_t max_token_reads = 1U << 20;  // tokens, each times how often the parser will read it
};

// PolicyError::too_large or too_nested, with line and limit in the message.
Result<> check_lexically(std::string_view text, const LexicalLimits& limits = {});

}  // namespace coffer::policy::detail

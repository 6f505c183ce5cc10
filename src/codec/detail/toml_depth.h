// A bound on nesting that is checked before the TOML library sees the text: its tables are destroyed recursively, and a
// dotted key of half a million parts would overflow the stack.
#pragma once

#include <optional>
#include <string_view>

namespace coffer::codec::detail {

struct TomlPosition {
  std::size_t line = 1;
  std::size_t column = 1;
};

// Where a key has more than `max_parts` dotted parts, or brackets nest deeper than `max_brackets`; nothing where none.
std::optional<TomlPosition> find_too_deep_toml(std::string_view text, std::size_t max_parts, std::size_t max_brackets);

}  // namespace coffer::codec::detail

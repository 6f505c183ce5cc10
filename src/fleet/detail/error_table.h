// The errors of a service that answers by REST: each with its name and HTTP status, in one table.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace coffer::fleet::detail {

template <typename Code>
struct KnownError {
  Code code;
  std::string_view name;
  int status;
};

// Of a code that the table has: every one of the enumeration.
template <typename Code>
std::string_view name_in(std::span<const KnownError<Code>> table, Code code) {
  const auto found = std::ranges::find(table, code, &KnownError<Code>::code);
  if (found == table.end()) std::unreachable();
  return found->name;
}

// Nothing for errors of other libraries.
template <typename Code>
std::optional<int> status_in(std::span<const KnownError<Code>> table, const Error& error) {
  const auto found = std::ranges::find(table, error.code.name(), &KnownError<Code>::name);
  if (found == table.end()) return std::nullopt;
  return found->status;
}

}  // namespace coffer::fleet::detail

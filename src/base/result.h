// Result<T>: a value or an Error. TRY(expr) unwraps one or returns its error from the enclosing function.
#pragma once

#include <expected>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace coffer {

template <class T = void>
using Result = std::expected<T, Error>;

// Makes the error branch of any Result: `return fail(JsonError::too_deep, "depth 65 is over the limit of 64");`
inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected<Error>(Error{code, std::move(message)});
}

inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

namespace detail {

// Moves the value out, or copies it out of a const result. Unlike expected's own operator it may be called for its
// check alone: TRY(parse(text));
template <class T>
T take(std::expected<T, Error>& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}
template <class T>
T take(const std::expected<T, Error>& result) {
  if constexpr (!std::is_void_v<T>) return *result;
}

}  // namespace detail
}  // namespace coffer

// A statement expression (clang, gcc), so that it can stand where a value is needed:
//   auto header = TRY(parse_header(text));
//   TRY(check(header));
#define TRY(...) COFFER_TRY_NAMED(COFFER_TRY_JOIN(coffer_try_, __COUNTER__), __VA_ARGS__)
#define COFFER_TRY_JOIN(a, b) COFFER_TRY_JOIN_(a, b)
#define COFFER_TRY_JOIN_(a, b) a##b
#define COFFER_TRY_NAMED(name, ...)                                     \
  __extension__({                                                       \
    auto&& name = (__VA_ARGS__);                                        \
    if (!name) [[unlikely]]                                             \
      return std::unexpected<::coffer::Error>(std::move(name).error()); \
    ::coffer::detail::take(name);                                       \
  })

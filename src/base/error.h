// The one error type of the house: a stable code, a sentence for people, and the facts behind it.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coffer {

// An enum becomes an error code by providing, in its own namespace, `std::string_view code_name(E)`
// that returns a string of static storage such as "json.too_deep". Names are stable: users grep them.
template <class E>
concept ErrorEnum = std::is_enum_v<E> && requires(E e) {
  { code_name(e) } -> std::same_as<std::string_view>;
};

// A stable, comparable error code. Two codes are equal when their names are.
class ErrorCode {
 public:
  template <ErrorEnum E>
  constexpr ErrorCode(E code) : name_(code_name(code)) {}  // NOLINT(google-explicit-constructor)

  constexpr std::string_view name() const { return name_; }
  friend constexpr bool operator==(ErrorCode a, ErrorCode b) { return a.name_ == b.name_; }

 private:
  std::string_view name_;
};

// `message` is one sentence that names what was expected and what was found, and never a secret.
// `context` holds fields for logs and audit records, outermost first.
struct Error {
  ErrorCode code;
  std::string message;
  std::vector<std::pair<std::string, std::string>> context{};

  // Adds a field and returns itself, for use while an error travels outwards.
  Error&& with(std::string key, std::string value) && {
    context.emplace_back(std::move(key), std::move(value));
    return std::move(*this);
  }
};

// "code: message (key=value, ...)", for a terminal or a log line.
std::string to_string(const Error& error);

}  // namespace coffer

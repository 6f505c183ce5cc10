// How an interface is written: a class with one method for each function, and the table of these.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "workload/hal/arguments.h"
#include "workload/hal/event_log.h"
#include "workload/hal/hal.h"
#include "workload/hal/waiting.h"

namespace coffer::workload::hal {

using wasm::Value;

class Interface {
 public:
  virtual ~Interface() = default;
  virtual std::string_view name() const = 0;  // "elastic:hal/crypto@0.1.0"
  virtual std::vector<std::string> functions() const = 0;
  // hal.unknown_function, hal.bad_arguments, hal.stopped.
  virtual Result<Value> call(std::string_view function, std::span<const Value> arguments) = 0;
};

// What interfaces work with. Outlives them.
struct Context {
  const Services& services;
  const Task& task;
  const Waiting& waiting;
  EventLog& events;
};

enum class Form {
  fallible,  // result<T, string>: an error is a value
  plain,     // T: there are no errors
};

template <class Self>
struct Function {
  std::string_view name;
  std::size_t parameters;
  Result<Value> (Self::*method)(Arguments&);
  Form form = Form::fallible;
};

// `value`: the method's answer, as the guest gets it.
Result<Value> to_answer(Result<Value> value, Form form);
Result<> check_count(std::size_t given, std::size_t expected);

// Base of an interface `Self` that has `static constexpr std::string_view id` and `static std::span<const
// Function<Self>> table()`.
template <class Self>
class Table : public Interface {
 public:
  std::string_view name() const final { return Self::id; }
  std::vector<std::string> functions() const final {
    std::vector<std::string> out;
    for (const auto& function : Self::table()) out.emplace_back(function.name);
    return out;
  }
  Result<Value> call(std::string_view name, std::span<const Value> given) final {
    for (const auto& function : Self::table()) {
      if (function.name != name) continue;
      TRY(check_count(given.size(), function.parameters));
      Arguments arguments(given);
      return to_answer((static_cast<Self&>(*this).*function.method)(arguments), function.form);
    }
    return fail(HalError::unknown_function, std::string{Self::id} + " has no function " + std::string{name});
  }
};

// {"field": value, ...}
template <class... Fields>
Value record(Fields&&... fields) {
  wasm::Value out{codec::cbor::Map{std::pair<Value, Value>(std::forward<Fields>(fields))...}};
  return out;
}
inline std::pair<Value, Value> field(std::string_view name, Value value) {
  return {Value{std::string{name}}, std::move(value)};
}
// The value of a function that has none: result<_, string>.
inline Value nothing() {
  return {};
}

std::unique_ptr<Interface> make_platform(const Context& context);
std::unique_ptr<Interface> make_attestation(const Context& context);
std::unique_ptr<Interface> make_crypto(const Context& context);
std::unique_ptr<Interface> make_clock(const Context& context);
std::unique_ptr<Interface> make_random(const Context& context);
std::unique_ptr<Interface> make_sockets(const Context& context);
std::unique_ptr<Interface> make_gpu(const Context& context);
std::unique_ptr<Interface> make_resources(const Context& context);
std::unique_ptr<Interface> make_events(const Context& context);
std::unique_ptr<Interface> make_communication(const Context& context);
std::unique_ptr<Interface> make_storage(const Context& context);

}  // namespace coffer::workload::hal

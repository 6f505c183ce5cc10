#include "workload/hal/interface.h"

namespace coffer::workload::hal {
namespace {

bool traps(const Error& error) {
  return error.code == HalError::bad_arguments || error.code == HalError::unknown_function ||
         error.code == HalError::stopped;
}

Value tagged(std::string_view branch, Value value) {
  return codec::cbor::Map{field(branch, std::move(value))};
}

}  // namespace

Result<Value> to_answer(Result<Value> value, Form form) {
  if (form == Form::plain || (!value && traps(value.error()))) return value;
  if (value) return tagged("ok", std::move(*value));
  return tagged("err", std::string{value.error().code.name()} + ": " + value.error().message);
}

Result<> check_count(std::size_t given, std::size_t expected) {
  if (given == expected) return {};
  return fail(
      HalError::bad_arguments,
      std::to_string(given) + " arguments, and the function of elastic:hal@0.1.0 has " + std::to_string(expected));
}

}  // namespace coffer::workload::hal

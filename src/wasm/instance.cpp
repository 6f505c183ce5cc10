#include "wasm/instance.h"

#include <algorithm>

#include "codec/cbor.h"
#include "wasm/detail/instance_impl.h"
#include "wasm/detail/native_abi.h"

namespace coffer::wasm {
namespace {

// A call that never reached the guest, or that it answered.
bool leaves_intact(const Error& error) {
  return error.code == ErrorCode{WasmError::missing_export} || error.code == ErrorCode{WasmError::bad_arguments};
}

}  // namespace

Result<Bytes> Instance::Impl::invoke(Result<Bytes> (detail::NativeInstance::*method)(const coffer_wasm_call&),
                                     std::string_view function, ByteView input, Duration budget) {
  if (poisoned) {
    return fail(WasmError::poisoned,
                "an earlier call of this instance failed, and its state is not known; it is to be "
                "made anew");
  }
  const auto& limits = invocation.limits;
  const coffer_wasm_call call{
      .function = detail::view_of(function),
      .input = detail::view_of(input),
      .fuel = limits.fuel.value_or(0),
      .has_fuel = limits.fuel.has_value(),
      .wall_time_milliseconds = static_cast<std::uint64_t>(std::max(budget, Duration{0}).count()),
      .cancel = cancel};
  const detail::Ticker::Running ticking(*ticker);
  auto answered = (native.*method)(call);
  poisoned = !answered && !leaves_intact(answered.error());
  return answered;
}

Instance::Instance(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Instance::Instance(Instance&&) noexcept = default;
Instance& Instance::operator=(Instance&&) noexcept = default;
Instance::~Instance() = default;

bool Instance::has(std::string_view function) const {
  return std::ranges::any_of(impl_->module->exports, [&](const Export& item) { return item.name == function; });
}

bool Instance::poisoned() const {
  return impl_->poisoned;
}

Result<Value> Instance::call(std::string_view function, std::span<const Value> arguments, Duration budget) {
  const auto encoded = codec::cbor::encode(Value{codec::cbor::Array(arguments.begin(), arguments.end())});
  if (encoded.size() > value_limits.max_size) {
    return fail(WasmError::bad_arguments, "the arguments have " + std::to_string(encoded.size()) +
                                              " bytes, the limit is " + std::to_string(value_limits.max_size));
  }
  const auto answered = TRY(impl_->invoke(&detail::NativeInstance::call, function, encoded, budget));
  auto value = codec::cbor::parse(answered, value_limits);
  if (value) return value;
  impl_->poisoned = true;
  return fail(WasmError::bad_result, std::string{function} + ": " + value.error().message);
}

Result<Bytes> Instance::exchange(std::string_view function, ByteView input, Duration budget) {
  return impl_->invoke(&detail::NativeInstance::exchange, function, input, budget);
}

}  // namespace coffer::wasm

#include "wasm/detail/native_instance.h"

#include "wasm/detail/native_abi.h"

namespace coffer::wasm::detail {
namespace {

using Function = std::int32_t (*)(coffer_wasm_instance*, const coffer_wasm_call*, coffer_wasm_outcome*);

Result<Bytes> invoke(Function function, coffer_wasm_instance* instance, const coffer_wasm_call& call) {
  coffer_wasm_outcome outcome{};
  const auto status = function(instance, &call, &outcome);
  auto bytes = to_bytes(bytes_of(outcome.text));
  coffer_buffer_free(outcome.text);
  if (status != COFFER_WASM_DONE) return failure(status, as_text(bytes));
  return bytes;
}

}  // namespace

void NativeInstance::Free::operator()(coffer_wasm_instance* instance) const {
  coffer_wasm_instance_free(instance);
}

Result<Bytes> NativeInstance::call(const coffer_wasm_call& call) {
  return invoke(&coffer_wasm_instance_call, handle_.get(), call);
}

Result<Bytes> NativeInstance::exchange(const coffer_wasm_call& call) {
  return invoke(&coffer_wasm_instance_exchange, handle_.get(), call);
}

}  // namespace coffer::wasm::detail

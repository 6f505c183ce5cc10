#pragma once

#include <string_view>
#include <vector>

#include "wasm/detail/native_abi.h"
#include "wasm/invocation.h"

namespace coffer::wasm::detail {

// The invocation in the ABI's shape; its views and callbacks are into `source`, which outlives the guest. To be given
// to the engine once: that takes over the input and the outgoing side.
class NativeInvocation {
 public:
  NativeInvocation(std::string_view function, const Invocation& source, const coffer_wasm_cancel* cancel);
  NativeInvocation(const NativeInvocation&) = delete;
  NativeInvocation& operator=(const NativeInvocation&) = delete;

  const coffer_wasm_invocation& value() const { return value_; }

 private:
  std::vector<coffer_view> arguments_;
  std::vector<coffer_wasm_pair> environment_;
  std::vector<coffer_wasm_preopen> preopens_;
  coffer_wasm_invocation value_{};
};

}  // namespace coffer::wasm::detail

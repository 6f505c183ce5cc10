// A kept instance of coffer_native.h as an owned handle.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wasm/invocation.h"

struct coffer_wasm_instance;
struct coffer_wasm_cancel;
struct coffer_wasm_call;

namespace coffer::wasm::detail {

class NativeInstance {
 public:
  // CBOR in and out.
  Result<Bytes> call(const coffer_wasm_call& call);
  Result<Bytes> exchange(const coffer_wasm_call& call);

 private:
  friend class NativeModule;
  struct Free {
    void operator()(coffer_wasm_instance* instance) const;
  };
  std::unique_ptr<coffer_wasm_instance, Free> handle_;
};

}  // namespace coffer::wasm::detail

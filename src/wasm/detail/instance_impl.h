#pragma once

#include <memory>
#include <string_view>

#include "wasm/detail/module_impl.h"
#include "wasm/detail/native_instance.h"
#include "wasm/detail/ticker.h"
#include "wasm/instance.h"
#include "wasm/invocation.h"

namespace coffer::wasm {

struct Instance::Impl {
  Result<Bytes> invoke(Result<Bytes> (detail::NativeInstance::*method)(const coffer_wasm_call&),
                       std::string_view function, ByteView input, Duration budget);

  std::shared_ptr<const Module::Impl> module;
  Invocation invocation;  // the engine holds pointers into it
  const coffer_wasm_cancel* cancel = nullptr;
  detail::Ticker* ticker = nullptr;
  detail::NativeInstance native{};  // last: gone before what it points to
  bool poisoned = false;
};

}  // namespace coffer::wasm

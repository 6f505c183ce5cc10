#pragma once

#include <vector>

#include "wasm/detail/native_engine.h"
#include "wasm/module.h"

namespace coffer::wasm {

struct Module::Impl {
  detail::NativeModule native;
  bool metered;
  std::vector<Export> exports;
  bool handles_http;  // asked for each request, so found once

  static Result<std::shared_ptr<const Impl>> create(detail::NativeModule native, bool metered);
};

}  // namespace coffer::wasm

// Writes small components around a core module (Component Model, Binary.md), because no tool that does is in Debian.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace coffer::wasm::testing {

// Exports `add: func(a: s32, b: s32) -> s32` of the core module's `add`.
Bytes component_with_add(ByteView core_module);
// Exports interface "docs:adder/add@0.1.0" with `sum: func(pair: tuple<s32, s32>) -> s32`, of the same `add`.
Bytes component_with_interface(ByteView core_module);
// Exports `wasi:cli/run@0.2.0` whose `run: func() -> result` is the core module's `core_function`.
Bytes component_with_run(ByteView core_module, std::string_view core_function);

}  // namespace coffer::wasm::testing

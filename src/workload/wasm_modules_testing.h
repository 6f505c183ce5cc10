// Small WASM modules, put together section by section (WebAssembly core specification, chapter 5).
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace coffer::workload {

Bytes adder();                         // exports add: (i32, i32) -> i32
Bytes exiter(unsigned code);           // a WASI command that ends with `code`, at most 127
Bytes printer(std::string_view text);  // a WASI command that writes `text` (at most 100 characters) to its output
Bytes spinner();                       // a command that never ends
Bytes trapper();                       // a command that hits `unreachable`

}  // namespace coffer::workload

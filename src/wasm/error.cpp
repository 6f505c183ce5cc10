#include "wasm/error.h"

namespace coffer::wasm {

std::string_view code_name(WasmError code) {
  switch (code) {
    case WasmError::bad_module: return "wasm.bad_module";
    case WasmError::unsupported_import: return "wasm.unsupported_import";
    case WasmError::missing_export: return "wasm.missing_export";
    case WasmError::bad_arguments: return "wasm.bad_arguments";
    case WasmError::bad_preopen: return "wasm.bad_preopen";
    case WasmError::trap: return "wasm.trap";
    case WasmError::out_of_memory: return "wasm.out_of_memory";
    case WasmError::out_of_fuel: return "wasm.out_of_fuel";
    case WasmError::timeout: return "wasm.timeout";
    case WasmError::cancelled: return "wasm.cancelled";
    case WasmError::no_response: return "wasm.no_response";
    case WasmError::bad_result: return "wasm.bad_result";
    case WasmError::poisoned: return "wasm.poisoned";
    case WasmError::cache_rejected: return "wasm.cache_rejected";
    case WasmError::cache_io: return "wasm.cache_io";
    case WasmError::internal: return "wasm.internal";
  }
  return "wasm.unknown";
}

}  // namespace coffer::wasm

#pragma once

#include <string_view>

namespace coffer::wasm {

enum class WasmError {
  bad_module,          // neither a valid core module nor a valid component
  unsupported_import,  // it wants something of the host that WASI does not have
  missing_export,      // no such function, or no command to run; the message lists what there is
  bad_arguments,       // count or text of arguments does not fit the function's signature
  bad_preopen,         // a host directory that cannot be opened
  trap,                // the guest trapped; the message has the reason and a backtrace
  out_of_memory,       // it grew over its memory limit, or no instance slot is left
  out_of_fuel,
  timeout,  // over its wall time, sleeping included
  cancelled,
  no_response,     // a handler of HTTP requests ended without an answer, or with one that is too long
  bad_result,      // what it gave back cannot be taken: outside of its memory, too large, or of a type not carried
  poisoned,        // an instance whose earlier call failed; a new one is needed
  cache_rejected,  // an artefact in the cache that is not authentic; logged, then compiled anew
  cache_io,        // the cache directory cannot be read or written; logged, then compiled anew
  internal,        // the engine could not be set up, or has a defect
};
std::string_view code_name(WasmError code);

}  // namespace coffer::wasm

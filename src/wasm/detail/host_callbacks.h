// What the engine calls back for: host interfaces, and HTTP that guests send.
#pragma once

#include <optional>

#include "wasm/detail/native_abi.h"
#include "wasm/invocation.h"

namespace coffer::wasm::detail {

// Points to `call`, which outlives the guest.
coffer_wasm_host host_of(const HostCall& call);
// Owns a copy of `options`, which the engine gives back.
coffer_wasm_outgoing outgoing_of(const std::optional<OutgoingHttp>& options);

}  // namespace coffer::wasm::detail

// Functions that a component imports beside WASI, which the embedding program answers.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wasm/value.h"

namespace coffer::wasm {

// One interface that a runtime links. The types of its functions are what a component says they are: whoever answers
// a call checks its arguments.
struct HostInterface {
  std::string name;                    // "elastic:hal/crypto@0.1.0"
  std::vector<std::string> functions;  // "hash"
};

// Answers one call, on the thread that runs the guest. An Error traps the guest with its message; an error that the
// interface itself knows is a value. It may block, and the guest's deadline is looked at when it has returned: it
// bounds its own time.
using HostCall = std::function<Result<Value>(std::string_view interface_name, std::string_view function,
                                             std::span<const Value> arguments)>;

}  // namespace coffer::wasm

// One run of a module: what it gets, what bounds it, and how it ended. The same for every runtime.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "wasm/invocation.h"

namespace coffer::workload {

struct ExecutionLimits {
  std::uint64_t memory = 0;  // bytes of linear memory; 0: the runtime's default
  std::uint64_t fuel = 0;    // 0: no limit
  Duration wall_time{0};     // 0: no limit
};

struct Execution {
  std::string function{};  // exported function; empty: the command's start
  std::vector<std::string> arguments{};
  std::vector<std::pair<std::string, std::string>> environment{};
  std::vector<wasm::Preopen> directories{};
  // Embedded: an empty source is at its end, an empty sink discards. External: an empty source is at its end, an empty
  // sink means that the program inherits this process's own stream.
  wasm::Source standard_input{};
  wasm::Sink standard_output{};
  wasm::Sink standard_error{};
  ExecutionLimits limits{};
  std::optional<wasm::OutgoingHttp> outgoing_http{};  // embedded alone; empty: the guest's own requests are denied
  wasm::HostCall host_call{};                         // embedded alone; answers the host interfaces of components
  std::stop_token stop{};                             // ends the run from another thread, also a guest that spins
};

struct ExecutionResult {
  int exit_code = 0;                  // the guest's own; a code that is not 0 is no error
  std::vector<std::string> values{};  // of a function: each result as text
  wasm::Usage usage{};
};

}  // namespace coffer::workload

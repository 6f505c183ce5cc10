// Serves a component that handles HTTP requests by a program of its own, as `wasmtime serve` does it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "workload/execution.h"
#include "workload/external_runtime.h"

namespace coffer::workload {

// `<program> serve -S cli -S http --addr HOST:PORT [-W timeout=Nms] LEADING [--env K=V]... [--dir D]... MODULE`. The
// wall time is a request's; arguments there are none.
std::vector<std::string> service_arguments(const ExternalProgram& program, const Execution& execution,
                                           const std::string& address, const std::string& module_path);

// A port of the host that nobody listens at now: `port` itself, or any where it is 0. The program binds it, so that
// somebody else may be faster. net.address_in_use; usage for a host that is no address of this machine.
Result<std::uint16_t> free_port_at(const std::string& host, std::uint16_t port);

// Blocks until `execution.stop`, which kills the program, and then gives cancelled. Calls `serving` once, from another
// thread, when the program takes connections at `address`. runtime_missing; service_ended where the program ends by
// itself, or takes no connection within half a minute.
Error serve_external(const ExternalProgram& program, ByteView module, const Execution& execution,
                     const std::string& address, const std::function<void()>& serving);

}  // namespace coffer::workload

// Tasks that serve HTTP: components that export wasi:http/incoming-handler, an instance a request.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fleet/worker/config.h"
#include "fleet/worker/runtimes/runtime.h"
#include "wasm/runtime.h"
#include "workload/execution.h"
#include "workload/http_service.h"

namespace coffer::fleet::worker {

inline constexpr unsigned http_requests_at_once = 8;  // of one task; more wait

// The module handles HTTP, and the task does not choose another function of it by `--invoke`.
bool serves_http(const StartCommand& task, const wasm::Module& module);

struct HttpArguments {
  std::optional<std::uint16_t> port{};  // 0: any free one; none: the first free one of the worker's range
  std::vector<std::string> rest{};      // the guest's
};
// `--port N` and `--addr HOST:PORT`, with a space or '='; the last one counts. worker.argument_refused where the host
// is not the configured one, since which network sees a task is its worker's operator's to say, or the port is none.
Result<HttpArguments> read_http_arguments(const std::vector<std::string>& cli_args, const HttpConfig& config);

// Before anything is served: worker.http_disabled, worker.unsupported for a latent task, and what the arguments are
// refused for.
Result<> check_http_task(const StartCommand& task, const HttpConfig& config);

// Calls `listen` with the ports that may be had, until one is not in use: `asked` alone where there is one, otherwise
// the worker's first and up to 100 further. net.address_in_use where none is free.
using Listen = std::function<Result<>(std::uint16_t port)>;
Result<> listen_on_free_port(std::optional<std::uint16_t> asked, const HttpConfig& config, const Listen& listen);

// Serves until `stop`, and tells `run.serving` once "started at port N". `execution` holds for each request. What the
// guest writes goes to the log, a plain task's text up to the worker's bound and an encrypted one's size alone: this
// machine's log is not its owner's.
RunReport serve_http(wasm::Runtime& engine, const wasm::Module& module, const Run& run, workload::Execution execution,
                     const TaskConfig& config, const std::stop_token& stop);

}  // namespace coffer::fleet::worker

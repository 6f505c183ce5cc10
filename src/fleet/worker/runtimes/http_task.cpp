#include "fleet/worker/runtimes/http_task.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <limits>
#include <mutex>

#include "base/log.h"
#include "fleet/worker/runtimes/function_choice.h"
#include "fleet/worker/runtimes/guest_log.h"
#include "net/error.h"

namespace coffer::fleet::worker {
namespace {

constexpr unsigned further_ports = 100;  // as many as upstream looks at
constexpr unsigned last_port = std::numeric_limits<std::uint16_t>::max();

Result<std::uint16_t> read_port(std::string_view text, std::string_view argument) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error == std::errc{} && end == text.data() + text.size()) return port;
  return fail(WorkerError::argument_refused,
              std::string{argument} + " names the port \"" + std::string{text} + "\"; expected a number up to 65535");
}

Result<std::uint16_t> read_address(std::string_view text, const HttpConfig& config) {
  const auto colon = text.rfind(':');
  const auto host = text.substr(0, colon);
  if (colon == std::string_view::npos || host != config.host) {
    return fail(WorkerError::argument_refused, "--addr is \"" + std::string{text} + "\"; expected " + config.host +
                                                   ":PORT, the host that PROPLET_HTTP_HOST gives to tasks");
  }
  return read_port(text.substr(colon + 1), "--addr");
}

// The value of `name VALUE` or `name=VALUE` at `at`, which then stands on the last argument taken.
std::optional<std::string_view> value_of(std::string_view name, const std::vector<std::string>& arguments,
                                         std::size_t& at) {
  const std::string_view argument = arguments[at];
  if (argument == name) return at + 1 < arguments.size() ? std::string_view{arguments[++at]} : std::string_view{};
  if (!argument.starts_with(name) || argument[name.size()] != '=') return std::nullopt;
  return argument.substr(name.size() + 1);
}

std::string port_of(const std::string& address) {
  return address.substr(address.rfind(':') + 1);
}

// Where `run` says, its streams already in place.
Result<std::unique_ptr<workload::HttpService>> listen_for(const Run& run, wasm::Runtime& engine,
                                                          const wasm::Module& module, workload::Execution execution,
                                                          const HttpConfig& config) {
  auto arguments = TRY(read_http_arguments(run.task.cli_args, config));
  auto& own = arguments.rest;
  execution.arguments.insert(execution.arguments.begin(), own.begin(), own.end());
  std::unique_ptr<workload::HttpService> service;
  TRY(listen_on_free_port(arguments.port, config, [&](std::uint16_t port) -> Result<> {
    service = TRY(workload::HttpService::start(engine, module,
                                               {.address = config.host + ":" + std::to_string(port),
                                                .execution = execution,
                                                .requests = http_requests_at_once}));
    return {};
  }));
  return service;
}

void wait_for(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

}  // namespace

bool serves_http(const StartCommand& task, const wasm::Module& module) {
  return module.handles_http() && !split_cli_args(task.cli_args).invoke;
}

Result<HttpArguments> read_http_arguments(const std::vector<std::string>& cli_args, const HttpConfig& config) {
  HttpArguments out;
  for (std::size_t at = 0; at < cli_args.size(); ++at) {
    if (const auto port = value_of("--port", cli_args, at)) {
      out.port = TRY(read_port(*port, "--port"));
    } else if (const auto address = value_of("--addr", cli_args, at)) {
      out.port = TRY(read_address(*address, config));
    } else {
      out.rest.push_back(cli_args[at]);
    }
  }
  return out;
}

Result<> check_http_task(const StartCommand& task, const HttpConfig& config) {
  if (!config.enabled) {
    return fail(WorkerError::http_disabled,
                "the module handles HTTP requests, and this worker does not serve them: set PROPLET_HTTP_ENABLED=true");
  }
  if (task.latent) {
    return fail(WorkerError::unsupported,
                "a module that handles HTTP requests is started, not invoked: leave out "
                "latent, or choose another function by --invoke");
  }
  TRY(read_http_arguments(task.cli_args, config));
  return {};
}

Result<> listen_on_free_port(std::optional<std::uint16_t> asked, const HttpConfig& config, const Listen& listen) {
  if (asked) return listen(*asked);
  const auto last = std::min(config.first_port + further_ports, last_port);
  for (unsigned port = config.first_port; port <= last; ++port) {
    auto listening = listen(static_cast<std::uint16_t>(port));
    if (listening || listening.error().code != net::NetError::address_in_use) return listening;
  }
  return fail(net::NetError::address_in_use, "no port from " + std::to_string(config.first_port) + " to " +
                                                 std::to_string(last) + " of " + config.host + " is free");
}

RunReport serve_http(wasm::Runtime& engine, const wasm::Module& module, const Run& run, workload::Execution execution,
                     const TaskConfig& config, const std::stop_token& stop) {
  const Error stopped{WorkerError::stopped, "the task was stopped"};
  if (stop.stop_requested()) return {.error = stopped};
  const auto limit = run.task.encrypted ? 0 : config.max_output;
  GuestLog output(run.task.id, "stdout", limit);
  GuestLog error(run.task.id, "stderr", limit);
  execution.standard_output = output.sink();
  execution.standard_error = error.sink();
  const auto service = listen_for(run, engine, module, std::move(execution), config.http);
  if (!service) return {.error = service.error()};
  const auto& address = (*service)->address();
  log::info("worker.serving", "the task serves HTTP", {{"task", run.task.id}, {"address", address}});
  if (run.serving) run.serving("started at port " + port_of(address));
  wait_for(stop);
  (*service)->stop();
  output.finish();
  error.finish();
  return {.error = stopped};
}

}  // namespace coffer::fleet::worker

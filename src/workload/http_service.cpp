#include "workload/http_service.h"

#include <mutex>

#include "base/log.h"
#include "codec/json.h"
#include "workload/embedded_runtime.h"

namespace coffer::workload {
namespace {

// A guest that never answers must not hold a thread for ever.
constexpr Duration default_request_time = std::chrono::seconds{30};

wasm::Sink one_at_a_time(wasm::Sink sink, std::mutex& writing) {
  if (!sink) return sink;
  return [sink = std::move(sink), &writing](ByteView bytes) {
    const std::lock_guard lock(writing);
    return sink(bytes);
  };
}

int status_of(const Error& error) {
  if (error.code == wasm::WasmError::timeout) return 504;
  if (error.code == wasm::WasmError::bad_arguments) return 400;
  return error.code == wasm::WasmError::cancelled ? 503 : 500;
}

// The client gets the code; what the guest said in dying is for its owner.
net::ServerResponse refusal(const Error& error) {
  const auto code = error.code.name();
  log::warn("workload.request_failed", error.message, {{"code", std::string{code}}});
  const codec::json::Object body{{"error", "the module did not answer"}, {"code", code}};
  return net::ServerResponse::text(status_of(error), "application/json", codec::json::serialize(body));
}

net::ServerResponse answer_of(wasm::HttpResponse response) {
  net::ServerResponse out{.status = static_cast<int>(response.status), .body = std::move(response.body)};
  for (auto& [name, value] : response.headers) out.headers.add(name, std::move(value));
  return out;
}

}  // namespace

struct HttpService::Impl {
  Impl(wasm::Runtime& engine, wasm::Module component, HttpServiceOptions chosen)
      : runtime(engine), module(std::move(component)), options(std::move(chosen)) {}

  wasm::Runtime& runtime;
  wasm::Module module;
  HttpServiceOptions options;
  std::stop_source stopping;
  std::mutex writing;
  std::unique_ptr<net::HttpServer> server;  // last: its handlers use the rest

  net::ServerResponse handle(const net::ServerRequest& request) {
    wasm::HttpRequest asked{.method = request.method,
                            .target = request.target,
                            .authority = std::string{request.headers.get("Host").value_or(options.address)},
                            .body = request.body,
                            .response_limit = options.max_body};
    for (const auto& [name, value] : request.headers) asked.headers.emplace_back(name, value);
    auto answered = handle_embedded(runtime, module, asked, options.execution);
    return answered ? answer_of(*std::move(answered)) : refusal(answered.error());
  }
};

HttpService::HttpService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpService::~HttpService() {
  stop();
}

Result<std::unique_ptr<HttpService>> HttpService::start(wasm::Runtime& runtime, wasm::Module module,
                                                        HttpServiceOptions options) {
  if (!module.handles_http()) {
    return fail(wasm::WasmError::missing_export,
                "the module does not handle HTTP requests: it exports no wasi:http/incoming-handler");
  }
  auto impl = std::make_unique<Impl>(runtime, std::move(module), std::move(options));
  auto& execution = impl->options.execution;
  if (execution.limits.wall_time <= Duration{0}) execution.limits.wall_time = default_request_time;
  execution.stop = impl->stopping.get_token();
  execution.standard_output = one_at_a_time(std::move(execution.standard_output), impl->writing);
  execution.standard_error = one_at_a_time(std::move(execution.standard_error), impl->writing);
  impl->server = TRY(net::HttpServer::start(
      {.sockets = {impl->options.address},
       .max_body_size = impl->options.max_body,
       .shutdown_grace = std::chrono::seconds{1},
       .workers = impl->options.requests},
      [&service = *impl](const net::ServerRequest& request) { return service.handle(request); }));
  return std::unique_ptr<HttpService>{new HttpService(std::move(impl))};
}

const std::string& HttpService::address() const {
  return impl_->server->addresses().front();
}

void HttpService::stop() {
  impl_->stopping.request_stop();
  impl_->server->stop();
}

}  // namespace coffer::workload

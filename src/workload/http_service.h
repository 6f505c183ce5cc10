// Serves a component that handles HTTP requests (wasi:http/incoming-handler): a new instance for each request, so that
// no request sees what another left behind.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "net/http_server.h"
#include "wasm/runtime.h"
#include "workload/execution.h"

namespace coffer::workload {

struct HttpServiceOptions {
  std::string address = "127.0.0.1:0";  // port 0 takes a free one
  // What each request's instance gets, and what bounds it. Output of several at once may come mixed, a write whole.
  Execution execution{};
  unsigned requests = 8;                         // at once; more wait
  std::size_t max_body = std::size_t{16} << 20;  // bytes, of request and response each
};

class HttpService {
 public:
  // `runtime` outlives the service. wasm.missing_export where the module handles no HTTP, and HttpServer's errors.
  static Result<std::unique_ptr<HttpService>> start(wasm::Runtime& runtime, wasm::Module module,
                                                    HttpServiceOptions options);
  ~HttpService();  // stops
  // The address really bound.
  const std::string& address() const;
  // Ends requests under way, also those whose guest spins.
  void stop();

 private:
  struct Impl;
  explicit HttpService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::workload

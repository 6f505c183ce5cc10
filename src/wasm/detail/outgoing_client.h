// What a guest sends by HTTP, over net's client: the list of what is allowed, and one exchange.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http_client.h"
#include "wasm/invocation.h"

namespace coffer::wasm::detail {

// Used by several threads at once, and possibly longer than the run that it was made for.
class OutgoingClient {
 public:
  explicit OutgoingClient(OutgoingHttp options);

  // "host:port" in lower case. What is denied is logged, so many times: a guest must not fill the log.
  bool allows(std::string_view host_and_port) const;
  // `first_byte` zero: the guest asks for nothing. NetError.
  Result<net::HttpResponse> send(net::HttpRequest request, Duration first_byte) const;
  std::size_t max_body() const { return options_.max_body; }

 private:
  OutgoingHttp options_;
  mutable std::atomic<unsigned> denied_ = 0;
};

}  // namespace coffer::wasm::detail

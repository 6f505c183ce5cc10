#include "wasm/detail/outgoing_client.h"

#include <algorithm>

#include "base/log.h"
#include "net/http.h"

namespace coffer::wasm::detail {
namespace {

constexpr unsigned max_logged_denials = 16;

}  // namespace

OutgoingClient::OutgoingClient(OutgoingHttp options) : options_(std::move(options)) {}

bool OutgoingClient::allows(std::string_view host_and_port) const {
  const bool allowed = options_.client && std::ranges::any_of(options_.allow, [&](const std::string& entry) {
                         return net::equal_ignoring_case(entry, host_and_port);
                       });
  if (!allowed && denied_.fetch_add(1, std::memory_order_relaxed) < max_logged_denials) {
    log::warn("wasm.http_denied", "a guest wanted to send a request where it may not",
              {{"host", std::string{host_and_port}}});
  }
  return allowed;
}

Result<net::HttpResponse> OutgoingClient::send(net::HttpRequest request, Duration first_byte) const {
  request.timeout = options_.total_timeout;
  request.stall_timeout =
      first_byte > Duration{0} ? std::min(first_byte, options_.stall_timeout) : options_.stall_timeout;
  request.max_response_size = options_.max_body;
  request.max_redirects = 0;
  return options_.client->send(request);
}

}  // namespace coffer::wasm::detail

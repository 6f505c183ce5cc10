// Responses as text on the wire.
#pragma once

#include <string>
#include <string_view>

#include "net/http_server.h"

namespace coffer::net::detail {

struct ResponseFraming {
  bool keep_alive = false;
  bool to_head_request = false;
  std::string_view date{};  // IMF-fixdate
};

std::string_view reason_phrase(int status);

// RFC 9110 sections 6.4.1, 15.3.5, 15.4.5: what never has a body.
bool allows_body(int status);

// A final status, and headers that cannot break out of their line.
bool is_sendable(const ServerResponse& response);

// Status line and headers up to and including the empty line.
std::string response_head(const ServerResponse& response, const ResponseFraming& framing);

// What the server itself answers: a line of plain text.
ServerResponse plain_answer(int status, std::string_view text);
ServerResponse overloaded_answer();  // 503 with Retry-After

}  // namespace coffer::net::detail

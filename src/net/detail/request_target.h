// What a request line asks for, as path and query.
#pragma once

#include <string>
#include <string_view>

#include "net/error.h"

namespace coffer::net::detail {

struct RequestTarget {
  std::string path;   // percent-decoded
  std::string query;  // raw
};

// RFC 9112 section 3.2: origin form, absolute form, and "*" for OPTIONS. A bad percent-encoding or a control character,
// raw or encoded, is NetError::bad_url.
Result<RequestTarget> parse_target(std::string_view method, std::string_view target);

}  // namespace coffer::net::detail

// Where guests may send HTTP requests of their own: "host:port", as their operator writes it.
#pragma once

#include <string>
#include <string_view>

#include "workload/error.h"

namespace coffer::workload {

// In lower case: "api.example:443", "127.0.0.1:8080", "[::1]:8080". WorkloadError::usage for anything else: there are
// no patterns and no default port, so that the list says what it means.
Result<std::string> parse_http_allow(std::string_view text);

}  // namespace coffer::workload

// Which redirects are followed, and what of the request goes along. Without I/O.
#pragma once

#include <string>

#include "net/http_client.h"
#include "net/url.h"

namespace coffer::net::detail {

// What the next exchange asks.
struct Hop {
  Url url;
  std::string method;
  Headers headers{};
  bool with_body = false;
};

// 301, 302, 303, 307 or 308 with a Location.
bool is_redirect(const HttpResponse& response);

// RFC 9110 section 15.4. NetError::redirect for a step from https to http and for a Location that is no usable URL.
// Credentials stay behind when scheme, host or port change.
Result<Hop> follow(const Hop& from, const HttpResponse& response);

}  // namespace coffer::net::detail

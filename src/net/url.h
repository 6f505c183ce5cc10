#pragma once

#include <map>
#include <string>
#include <vector>

#include "net/error.h"

namespace coffer::net {

// http and https URLs (RFC 3986). Host is lower case, IPv6 without brackets; port 0 where none was given.
struct Url {
  std::string scheme, host;
  std::uint16_t port = 0;
  std::string path;    // with leading '/', still percent-encoded
  std::string query;   // without '?'

  static Result<Url> parse(std::string_view text);
  std::uint16_t effective_port() const;
  bool is_loopback() const;      // localhost, 127.0.0.0/8, ::1
  std::string origin() const;    // "https://host:port" as it stands in a Host header
  std::string text() const;
};

Result<std::string> percent_decode(std::string_view text);
std::string percent_encode(std::string_view text);   // all but unreserved characters
// "a=1&b=2" to a map; a repeated key: the last one wins (as upstream's).
Result<std::map<std::string, std::string>> parse_query(std::string_view query);

}  // namespace coffer::net

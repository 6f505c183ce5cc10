#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "net/error.h"

namespace coffer::net {

// http and https URLs (RFC 3986). Host is lower case, IPv6 without brackets; port 0 where none was given. Strict:
// anything outside the grammar, another scheme, and user names (they end up in logs) are NetError::bad_url. A fragment
// is dropped, because it is never sent.
struct Url {
  std::string scheme, host;
  std::uint16_t port = 0;
  std::string path;   // with leading '/', still percent-encoded
  std::string query;  // without '?'

  static Result<Url> parse(std::string_view text);
  // A reference found in a document at this URL, such as a Location header (RFC 3986 section 5.2).
  Result<Url> resolve(std::string_view reference) const;

  bool is_https() const { return scheme == "https"; }
  std::uint16_t effective_port() const;
  bool is_loopback() const;       // localhost, 127.0.0.0/8, ::1
  std::string authority() const;  // "host" or "host:port" as it stands in a Host header; IPv6 in brackets
  std::string origin() const;     // "https://host:port", without the port where none was given
  std::string target() const;     // path and query, as in a request line
  std::string text() const;
  // Same scheme, host and effective port: what may see the same credentials.
  bool same_origin(const Url& other) const;
};

// NetError::bad_url for a '%' that two hexadecimal digits do not follow.
Result<std::string> percent_decode(std::string_view text);
std::string percent_encode(std::string_view text);  // all but unreserved characters
// "a=1&b=2" to a map, '+' as a space; a repeated key: the last one wins (as upstream's).
Result<std::map<std::string, std::string>> parse_query(std::string_view query);

}  // namespace coffer::net

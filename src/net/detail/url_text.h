// The grammar of RFC 3986 as far as http and https need it. By hand: Boost.URL 1.81 takes "h:8o" for an authority,
// "127.0.0.1.evil" for an IPv4 address, and keeps ".." at the root.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace coffer::net::detail {

int hex_digit(char c);  // -1 where it is none
bool is_unreserved(char c);

// pchar, '/' and, in queries and fragments, '?'; percent signs only with two hexadecimal digits.
bool is_path(std::string_view text);
bool is_query(std::string_view text);

// A lower-case host name, a dotted IPv4 address, or an IPv6 address in its shortest spelling, without brackets.
// Nothing for the rest, among it the numbers that some resolvers take for addresses ("127.1", "0x7f000001").
std::optional<std::string> normal_host(std::string_view text);
bool is_ipv4_loopback(std::string_view host);

// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view path);

}  // namespace coffer::net::detail

#include "net/detail/url_text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <vector>

namespace coffer::net::detail {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_pchar(char c) {
  return is_unreserved(c) || std::string_view{"!$&'()*+,;=:@"}.contains(c);
}

bool follows(std::string_view text, std::string_view also) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0) return false;
      i += 2;
    } else if (!is_pchar(text[i]) && !also.contains(text[i])) {
      return false;
    }
  }
  return true;
}

std::optional<std::string> normal_ipv6(std::string_view text) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (::inet_pton(AF_INET6, std::string{text}.c_str(), &address) != 1) return std::nullopt;
  return ::inet_ntop(AF_INET6, &address, out.data(), out.size());
}

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1;
}

// Nobody may read a name as a number that we did not: such a name ends in a label of digits, or in a hexadecimal one.
bool ends_in_number(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  const auto label = name.substr(name.rfind('.') + 1);
  return std::ranges::all_of(label, is_digit) || label.starts_with("0x");
}

// RFC 3986 allows nearly anything percent-encoded in a reg-name; host names have letters, digits, '-', '.' and, in
// container networks, '_'.
bool is_host_name(std::string_view name) {
  constexpr std::size_t max_size = 253;
  return name.size() <= max_size && !name.starts_with('.') && !name.contains("..") &&
         std::ranges::all_of(
             name, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '.' || c == '_'; });
}

}  // namespace

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || std::string_view{"-._~"}.contains(c);
}

bool is_path(std::string_view text) {
  return follows(text, "/");
}
bool is_query(std::string_view text) {
  return follows(text, "/?");
}

std::optional<std::string> normal_host(std::string_view text) {
  if (text.starts_with('[')) {
    if (!text.ends_with(']')) return std::nullopt;
    return normal_ipv6(text.substr(1, text.size() - 2));
  }
  std::string host{text};
  std::ranges::transform(host, host.begin(), lower);
  if (host.empty() || !is_host_name(host)) return std::nullopt;
  if (ends_in_number(host) && !is_ipv4(host)) return std::nullopt;
  return host;
}

bool is_ipv4_loopback(std::string_view host) {
  return host.starts_with("127.") && is_ipv4(std::string{host});
}

std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool open = false;  // the last segment was a dot segment: the path ends in '/'
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    open = segment == "." || segment == "..";
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!open) kept.push_back(segment);
  }
  std::string out;
  for (const auto segment : kept) out.append("/").append(segment);
  if (open || out.empty()) out += '/';
  return out;
}

}  // namespace coffer::net::detail

#include "workload/http_allow.h"

#include <algorithm>
#include <charconv>

namespace coffer::workload {
namespace {

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port > 0 && port <= 65535;
}

bool is_one_of(char c, bool brackets) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  return letter || c == '.' || c == '-' || c == '_' || (brackets && c == ':');
}

bool is_host(std::string_view host) {
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  return !host.empty() && std::ranges::all_of(host, [&](char c) { return is_one_of(c, brackets); });
}

}  // namespace

Result<std::string> parse_http_allow(std::string_view text) {
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  const std::string_view whole = lower;
  const auto colon = whole.rfind(':');
  const bool fits =
      colon != std::string_view::npos && is_host(whole.substr(0, colon)) && is_port(whole.substr(colon + 1));
  if (fits) return lower;
  return fail(WorkloadError::usage, "\"" + std::string{text} + "\" is no HOST:PORT that guests could be allowed");
}

}  // namespace coffer::workload

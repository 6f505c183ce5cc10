#include "net/detail/request_target.h"

#include <algorithm>

#include "net/url.h"

namespace coffer::net::detail {
namespace {

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<RequestTarget> from_origin_form(std::string_view target) {
  const auto question = std::min(target.find('?'), target.size());
  RequestTarget out;
  out.path = TRY(percent_decode(target.substr(0, question)));
  // A NUL or line end would be read differently by files, logs and headers further in.
  if (has_control(out.path)) return fail(NetError::bad_url, "the path holds a control character");
  if (question < target.size()) out.query = target.substr(question + 1);
  return out;
}

}  // namespace

Result<RequestTarget> parse_target(std::string_view method, std::string_view target) {
  if (has_control(target)) return fail(NetError::bad_url, "the request target holds a control character");
  // RFC 9112 section 3.2.1: a fragment is no part of a target.
  if (target.contains('#')) return fail(NetError::bad_url, "the request target holds a fragment");
  if (target.starts_with('/')) return from_origin_form(target);
  if (target == "*" && method == "OPTIONS") return RequestTarget{"*", ""};
  // RFC 9112 section 3.2.2: a server must accept the absolute form, which clients send to proxies.
  if (target.starts_with("http://") || target.starts_with("https://")) {
    return from_origin_form(TRY(Url::parse(target)).target());
  }
  return fail(NetError::bad_url, "expected a request target that begins with '/'");
}

}  // namespace coffer::net::detail

#include "net/detail/redirect.h"

#include <algorithm>
#include <array>

namespace coffer::net::detail {
namespace {

void remove_all(Headers& headers, std::initializer_list<std::string_view> names) {
  for (const auto name : names) headers.remove(name);
}

// RFC 9110 sections 15.4.2 to 15.4.4: 303 always asks with GET, 301 and 302 by old habit after a POST.
bool turns_into_get(int status, std::string_view method) {
  if (status == 303) return method != "GET" && method != "HEAD";
  return (status == 301 || status == 302) && method == "POST";
}

}  // namespace

bool is_redirect(const HttpResponse& response) {
  constexpr std::array statuses{301, 302, 303, 307, 308};
  return std::ranges::find(statuses, response.status) != statuses.end() && response.headers.get("Location");
}

Result<Hop> follow(const Hop& from, const HttpResponse& response) {
  const auto location = response.headers.get("Location").value_or("");
  auto url = from.url.resolve(location);
  if (!url) return fail(NetError::redirect, from.url.origin() + " redirects astray: " + url.error().message);
  if (from.url.is_https() && !url->is_https()) {
    return fail(NetError::redirect, "refusing to follow " + from.url.origin() + " from https to " + url->origin());
  }
  Hop next{.url = *std::move(url), .method = from.method, .headers = from.headers, .with_body = from.with_body};
  if (!next.url.same_origin(from.url)) {
    remove_all(next.headers, {"Authorization", "Cookie", "Proxy-Authorization", "Host"});
  }
  if (turns_into_get(response.status, from.method)) {
    next.method = "GET";
    next.with_body = false;
    remove_all(next.headers, {"Content-Type", "Content-Length", "Content-Encoding", "Content-Range"});
  }
  return next;
}

}  // namespace coffer::net::detail

#include "keybroker/route.h"

#include "keybroker/refusal.h"
#include "net/path.h"
#include "net/url.h"

namespace coffer::keybroker {
namespace {

std::string join(const std::vector<std::string>& segments, std::size_t first) {
  std::string text;
  for (std::size_t i = first; i < segments.size(); ++i) {
    if (i > first) text += '/';
    text += segments[i];
  }
  return text;
}

}  // namespace

std::string Route::rest() const {
  return join(segments, 1);
}

Result<Route> parse_route(const net::ServerRequest& request) {
  auto parts = net::path_segments(request.path);
  const auto invalid = [&] { return fail(BrokerError::invalid_path, "Request path " + request.path + " is invalid"); };
  if (parts.size() < 3 || parts[0] != "kbs" || parts[1] != "v0") return invalid();
  for (const auto& part : parts) {
    if (part == "." || part == "..") return invalid();
  }
  auto query = net::parse_query(request.query);
  if (!query) return fail(because(BrokerError::bad_request, "the query string does not parse", query.error()));
  Route route{.segments = {parts.begin() + 2, parts.end()}, .query = *std::move(query), .path_and_query = {}};
  route.path_and_query = "/" + join(parts, 0);
  if (!request.query.empty()) route.path_and_query += "?" + request.query;
  return route;
}

}  // namespace coffer::keybroker

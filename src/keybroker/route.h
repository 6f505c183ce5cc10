// A request's path as the broker sees it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "keybroker/error.h"
#include "net/http_server.h"

namespace coffer::keybroker {

struct Route {
  std::vector<std::string> segments;         // behind /kbs/v0, at least one
  std::map<std::string, std::string> query;  // a repeated key: the last one wins, as upstream's
  std::string path_and_query;                // "/kbs/v0/resource/a/b/c?x=1", normalised: what an ACL is matched on

  const std::string& endpoint() const { return segments.front(); }
  // Segments behind the first, joined by '/'.
  std::string rest() const;
};

// Slashes in a row count as one, since clients join base URLs and paths carelessly. Dot segments are refused, so that
// no text passes the ACL as one path and is served as another. BrokerError::invalid_path outside /kbs/v0.
Result<Route> parse_route(const net::ServerRequest& request);

}  // namespace coffer::keybroker

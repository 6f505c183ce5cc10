// Paths of requests, as services route them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coffer::net {

// "/tasks//7/" is {"tasks", "7"}: what stands between slashes and is not empty, as it came (percent-encoded).
std::vector<std::string> path_segments(std::string_view path);

// Whether there are as many segments as in `pattern`, "/tasks/*/start", and each is the same or stands for "*".
bool path_matches(std::string_view pattern, const std::vector<std::string>& segments);

}  // namespace coffer::net

#include "net/path.h"

#include <algorithm>

namespace coffer::net {

std::vector<std::string> path_segments(std::string_view path) {
  std::vector<std::string> segments;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    if (end > begin) segments.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

bool path_matches(std::string_view pattern, const std::vector<std::string>& segments) {
  return std::ranges::equal(path_segments(pattern), segments, [](const std::string& part, const std::string& text) {
    return part == "*" || part == text;
  });
}

}  // namespace coffer::net

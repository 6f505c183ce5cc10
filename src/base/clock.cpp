#include "base/clock.h"

#include <date/date.h>

#include <algorithm>
#include <sstream>

namespace coffer {
namespace {

class SystemClock final : public Clock {
 public:
  TimePoint now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
};

auto in_seconds(TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

}  // namespace

std::string_view code_name(TimeError code) {
  switch (code) {
    case TimeError::malformed: return "time.malformed";
  }
  std::unreachable();
}

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::int64_t to_unix_seconds(TimePoint time) {
  return in_seconds(time).time_since_epoch().count();
}

TimePoint from_unix_seconds(std::int64_t seconds) {
  return TimePoint{std::chrono::seconds{seconds}};
}

std::string format_rfc3339(TimePoint time) {
  return date::format("%FT%TZ", in_seconds(time));
}

std::string format_http_date(TimePoint time) {
  return date::format("%a, %d %b %Y %T GMT", in_seconds(time));
}

Result<TimePoint> parse_http_date(std::string_view text) {
  std::istringstream in{std::string{text}};
  TimePoint time;
  in >> date::parse("%a, %d %b %Y %T GMT", time);
  if (in.fail() || in.peek() != std::istringstream::traits_type::eof()) {
    return fail(TimeError::malformed, "expected an HTTP date such as Fri, 02 Jan 2026 03:04:05 GMT, got \"" +
                                          std::string{text.substr(0, 64)} + "\"");
  }
  return time;
}

namespace {

// Peers write up to nine digits of a second, and the parser below reads three.
void cut_to_milliseconds(std::string& text) {
  const auto point = text.find('.');
  if (point == std::string::npos) return;
  const auto end = std::min(text.find_first_not_of("0123456789", point + 1), text.size());
  if (end > point + 4) text.erase(point + 4, end - point - 4);
}

}  // namespace

Result<TimePoint> parse_rfc3339(std::string_view text) {
  // RFC 3339 section 5.6: "T" and "Z" may be lower case; the offset is "Z" or ±hh:mm.
  std::string normal{text};
  for (char& c : normal) {
    if (c == 't') c = 'T';
    if (c == 'z') c = 'Z';
  }
  const bool utc = normal.ends_with('Z');
  cut_to_milliseconds(normal);
  std::istringstream in{normal};
  TimePoint time;
  in >> date::parse(utc ? "%FT%TZ" : "%FT%T%Ez", time);
  if (in.fail() || in.peek() != std::istringstream::traits_type::eof()) {
    return fail(TimeError::malformed, "expected an RFC 3339 time such as 2026-01-02T03:04:05Z, got \"" +
                                          std::string{text.substr(0, 64)} + "\"");
  }
  return time;
}

}  // namespace coffer

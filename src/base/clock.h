// Time comes through an interface, so that a test can fix it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace coffer {

using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

enum class TimeError { malformed };
std::string_view code_name(TimeError code);

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

// The system's clock.
const Clock& system_clock();

// A clock that stands still until it is told to move.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(TimePoint start) : now_(start) {}
  TimePoint now() const override { return now_; }
  void advance(Duration by) { now_ += by; }
  void set(TimePoint to) { now_ = to; }

 private:
  TimePoint now_;
};

// Seconds since 1970-01-01T00:00:00Z, as JWT's NumericDate (RFC 7519 section 2).
std::int64_t to_unix_seconds(TimePoint time);
TimePoint from_unix_seconds(std::int64_t seconds);

// RFC 3339 in UTC with seconds: "2026-01-02T03:04:05Z". Parsing accepts offsets and fractions.
std::string format_rfc3339(TimePoint time);
Result<TimePoint> parse_rfc3339(std::string_view text);

// RFC 9110 section 5.6.7 IMF-fixdate: "Fri, 02 Jan 2026 03:04:05 GMT".
std::string format_http_date(TimePoint time);
// The one form of date that senders may make; the two obsolete ones are refused.
Result<TimePoint> parse_http_date(std::string_view text);

}  // namespace coffer

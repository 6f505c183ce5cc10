// Five-field cron expressions, in a time zone: "*/5 8-18 * * mon-fri". Names of months and days, lists, ranges, steps,
// and @hourly to @yearly; 7 is Sunday as 0 is. Where day of month and day of week are both given, either fits, as cron
// has done since Version 7.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "fleet/manager/error.h"

namespace coffer::fleet::manager {

class Cron {
 public:
  // ManagerError::bad_cron names the field.
  static Result<Cron> parse(std::string_view expression);

  // The first time after `after` that fits, in `zone` (empty: UTC). A local time that daylight saving leaves out counts
  // as the moment the clock jumps; one that comes twice counts once. Nothing where there is none in the next nine years
  // (30 February); bad_time_zone.
  Result<std::optional<TimePoint>> next(TimePoint after, std::string_view zone) const;

 private:
  Cron() = default;
  bool fits_day(unsigned month, unsigned day, unsigned weekday) const;

  std::uint64_t minutes_ = 0, hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;  // one bit a value
  bool any_day_ = false, any_weekday_ = false;
};

// The IANA data base of Debian's tzdata.
Result<> check_time_zone(std::string_view zone);

}  // namespace coffer::fleet::manager

#include "fleet/manager/cron.h"

#include <date/tz.h>

#include <array>
#include <charconv>
#include <span>
#include <string>
#include <vector>

namespace coffer::fleet::manager {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_expression = 256;
constexpr int most_days = 366 * 9;  // from one leap day to the next but one: 1896 and 1904

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> day_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view what;
  unsigned low, high;
  std::span<const std::string_view> names{};
  unsigned first_name = 0;  // the value of names[0]
};
constexpr std::array<Field, 5> fields{{{"minute", 0, 59},
                                       {"hour", 0, 23},
                                       {"day of month", 1, 31},
                                       {"month", 1, 12, month_names, 1},
                                       {"day of week", 0, 7, day_names, 0}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> nicknames{{{"@yearly", "0 0 1 1 *"},
                                                                                  {"@annually", "0 0 1 1 *"},
                                                                                  {"@monthly", "0 0 1 * *"},
                                                                                  {"@weekly", "0 0 * * 0"},
                                                                                  {"@daily", "0 0 * * *"},
                                                                                  {"@midnight", "0 0 * * *"},
                                                                                  {"@hourly", "0 * * * *"}}};

std::unexpected<Error> bad(const Field& field, std::string_view text) {
  return fail(ManagerError::bad_cron, "the cron expression's " + std::string{field.what} + " is expected to be " +
                                          std::to_string(field.low) + " to " + std::to_string(field.high) +
                                          ", a range, a list or a step of them, found \"" + std::string{text} + "\"");
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<unsigned> value_of(const Field& field, std::string_view text) {
  const auto name = lower(text);
  for (std::size_t i = 0; i < field.names.size(); ++i) {
    if (name == field.names[i]) return field.first_name + static_cast<unsigned>(i);
  }
  const auto value = number(text);
  if (!value || *value < field.low || *value > field.high) return std::nullopt;
  return value;
}

struct Range {
  unsigned first, last;
};

std::optional<Range> range_of(const Field& field, std::string_view text, bool stepped) {
  if (text == "*") return Range{field.low, field.high};
  const auto dash = text.find('-');
  const auto first = value_of(field, text.substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos) return Range{*first, stepped ? field.high : *first};
  const auto last = value_of(field, text.substr(dash + 1));
  if (!last || *last < *first) return std::nullopt;
  return Range{*first, *last};
}

Result<std::uint64_t> parse_part(const Field& field, std::string_view part) {
  const auto slash = part.find('/');
  const bool stepped = slash != std::string_view::npos;
  const auto step = stepped ? number(part.substr(slash + 1)) : 1U;
  const auto range = range_of(field, part.substr(0, slash), stepped);
  if (!range || !step || *step == 0 || *step > 60) return bad(field, part);
  std::uint64_t bits = 0;
  for (auto value = range->first; value <= range->last; value += *step) bits |= std::uint64_t{1} << value;
  return bits;
}

Result<std::uint64_t> parse_field(const Field& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    bits |= TRY(parse_part(field, text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return bits;
}

std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view blank = " \t";
  std::vector<std::string_view> words;
  for (auto begin = text.find_first_not_of(blank); begin != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(blank, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(blank, end);
  }
  return words;
}

Result<const date::time_zone*> zone_of(std::string_view name) {
  try {
    return date::locate_zone(name.empty() ? "Etc/UTC" : std::string{name});
  } catch (const std::exception&) {
    return fail(ManagerError::bad_time_zone,
                "a time zone such as Europe/Berlin is expected, found \"" + std::string{name.substr(0, 64)} + "\"");
  }
}

date::sys_seconds moment_of(const date::time_zone& zone, date::local_seconds local) {
  const auto info = zone.get_info(local);
  if (info.result == date::local_info::nonexistent) return info.first.end;
  return date::sys_seconds{local.time_since_epoch() - info.first.offset};
}

bool has(std::uint64_t bits, unsigned value) {
  return (bits >> value & 1U) != 0;
}

}  // namespace

Result<> check_time_zone(std::string_view zone) {
  if (zone.size() > 64) return fail(ManagerError::bad_time_zone, "the time zone's name is too long");
  TRY(zone_of(zone));
  return {};
}

Result<Cron> Cron::parse(std::string_view expression) {
  if (expression.size() > max_expression) return fail(ManagerError::bad_cron, "the cron expression is too long");
  for (const auto& [name, meaning] : nicknames) {
    if (expression == name) return parse(meaning);
  }
  const auto words = words_of(expression);
  if (words.size() != fields.size()) {
    return fail(ManagerError::bad_cron,
                "a cron expression of five fields (minute, hour, day of month, month, day of "
                "week) is expected, found " +
                    std::to_string(words.size()));
  }
  Cron cron;
  cron.minutes_ = TRY(parse_field(fields[0], words[0]));
  cron.hours_ = TRY(parse_field(fields[1], words[1]));
  cron.days_ = TRY(parse_field(fields[2], words[2]));
  cron.months_ = TRY(parse_field(fields[3], words[3]));
  cron.weekdays_ = TRY(parse_field(fields[4], words[4]));
  if (has(cron.weekdays_, 7)) cron.weekdays_ |= 1U;
  cron.any_day_ = words[2].starts_with('*');
  cron.any_weekday_ = words[4].starts_with('*');
  return cron;
}

bool Cron::fits_day(unsigned month, unsigned day, unsigned weekday) const {
  if (!has(months_, month)) return false;
  const bool by_day = has(days_, day);
  const bool by_weekday = has(weekdays_, weekday);
  return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

Result<std::optional<TimePoint>> Cron::next(TimePoint after, std::string_view zone_name) const {
  const auto* zone = TRY(zone_of(zone_name));
  const auto begin = date::floor<std::chrono::seconds>(after);
  auto day = date::floor<date::days>(zone->to_local(begin));
  for (int i = 0; i < most_days; ++i, day += date::days{1}) {
    const date::year_month_day ymd{day};
    if (!fits_day(unsigned{ymd.month()}, unsigned{ymd.day()}, date::weekday{day}.c_encoding())) continue;
    for (unsigned hour = 0; hour < 24; ++hour) {
      if (!has(hours_, hour)) continue;
      for (unsigned minute = 0; minute < 60; ++minute) {
        if (!has(minutes_, minute)) continue;
        const auto moment = moment_of(*zone, day + std::chrono::hours{hour} + std::chrono::minutes{minute});
        if (moment > begin) return TimePoint{moment.time_since_epoch()};
      }
    }
  }
  return std::nullopt;
}

}  // namespace coffer::fleet::manager

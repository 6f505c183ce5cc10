#include "fleet/config/variables.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace coffer::fleet {
namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_flag(std::string_view text) {
  const auto word = lower(text);
  for (const auto* yes : {"1", "true", "yes", "on"}) {
    if (word == yes) return true;
  }
  for (const auto* no : {"0", "false", "no", "off"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

struct Unit {
  std::string_view name;
  double milliseconds;
};
constexpr std::array units{Unit{"ms", 1}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000}};

// One step of "1m30s": the number and its unit, taken off the front.
std::optional<double> take_step(std::string_view& text) {
  const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto number = parse_number<double>(text.substr(0, digits));
  if (!number) return std::nullopt;
  text.remove_prefix(digits);
  for (const auto& unit : units) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return *number * unit.milliseconds;
  }
  return std::nullopt;
}

}  // namespace

std::string_view code_name(ConfigError code) {
  switch (code) {
    case ConfigError::bad_value: return "fleet.config_bad_value";
    case ConfigError::missing: return "fleet.config_missing";
    case ConfigError::unreadable: return "fleet.config_unreadable";
    case ConfigError::unsupported: return "fleet.config_unsupported";
  }
  return "fleet.config_unknown";
}

Lookup process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string{value};
  };
}

std::optional<Duration> parse_duration(std::string_view text) {
  constexpr double longest = 1e12;  // 30 years: what fits everywhere
  if (const auto seconds = parse_number<std::uint64_t>(text);
      seconds && static_cast<double>(*seconds) < longest / 1000) {
    return std::chrono::seconds{*seconds};
  }
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const auto step = take_step(text);
    if (!step) return std::nullopt;
    total += *step;
  }
  if (total >= longest) return std::nullopt;
  return Duration{std::llround(total)};
}

std::string flag_name(std::string_view variable) {
  auto name = "--" + lower(variable);
  std::ranges::replace(name, '_', '-');
  return name;
}

Variables::Variables(std::string prefix, Lookup lookup, std::map<std::string, std::string> flags)
    : prefix_(std::move(prefix)), lookup_(std::move(lookup)), flags_(std::move(flags)) {}

std::string Variables::name_of(std::string_view name) const {
  return flags_.contains(std::string{name}) ? flag_name(name) : prefix_ + std::string{name};
}

std::unexpected<Error> Variables::bad(std::string_view name, std::string_view expected) const {
  return fail(ConfigError::bad_value, name_of(name) + " is \"" + text(name) + "\"; expected " + std::string{expected});
}

std::optional<std::string> Variables::find(std::string_view name) const {
  if (const auto given = flags_.find(std::string{name}); given != flags_.end()) return given->second;
  return find_plain(prefix_ + std::string{name});
}

std::optional<std::string> Variables::find_plain(const std::string& name) const {
  auto value = lookup_(name);
  if (value && value->empty()) return std::nullopt;
  return value;
}

std::string Variables::text(std::string_view name, std::string_view fallback) const {
  return find(name).value_or(std::string{fallback});
}

Result<std::optional<bool>> Variables::optional_flag(std::string_view name) const {
  const auto value = find(name);
  if (!value) return std::nullopt;
  const auto parsed = parse_flag(*value);
  if (!parsed) return bad(name, "true or false (1, yes, on; 0, no, off)");
  return parsed;
}

Result<bool> Variables::flag(std::string_view name, bool fallback) const {
  const auto value = TRY(optional_flag(name));
  return value.value_or(fallback);
}

Result<std::uint64_t> Variables::number(std::string_view name, std::uint64_t fallback, std::uint64_t min,
                                        std::uint64_t max) const {
  const auto value = find(name);
  if (!value) return fallback;
  const auto parsed = parse_number<std::uint64_t>(*value);
  if (parsed && *parsed >= min && *parsed <= max) return *parsed;
  return bad(name, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
}

Result<double> Variables::fraction(std::string_view name, double fallback) const {
  const auto value = find(name);
  if (!value) return fallback;
  const auto parsed = parse_number<double>(*value);
  if (!parsed || !std::isfinite(*parsed)) return bad(name, "a number from 0 to 1");
  return std::clamp(*parsed, 0.0, 1.0);
}

Result<Duration> Variables::duration(std::string_view name, Duration fallback) const {
  const auto value = find(name);
  if (!value) return fallback;
  const auto parsed = parse_duration(*value);
  if (!parsed) return bad(name, "seconds, or a duration such as 10s, 1m30s or 500ms");
  return *parsed;
}

std::vector<std::string> Variables::list(std::string_view name, char separator) const {
  std::vector<std::string> out;
  const auto whole = text(name);
  std::string_view rest = whole;
  while (!rest.empty()) {
    const auto entry = rest.substr(0, rest.find(separator));
    if (const auto kept = trimmed(entry); !kept.empty()) out.emplace_back(kept);
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
  }
  return out;
}

}  // namespace coffer::fleet

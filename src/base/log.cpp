#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cctype>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace coffer::log {
namespace {

struct State {
  std::mutex mutex;
  std::shared_ptr<spdlog::logger> sink = spdlog::stderr_logger_mt("coffer");
  Level level = Level::info;
  std::map<std::string, Level, std::less<>> targets;

  State() {
    sink->set_level(spdlog::level::trace);
    sink->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  }
};

State& state() {
  static State instance;
  return instance;
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::optional<Level> parse_level(std::string_view text) {
  const auto name = lower(text);
  if (name == "trace") return Level::trace;
  if (name == "debug") return Level::debug;
  if (name == "info") return Level::info;
  if (name == "warn" || name == "warning") return Level::warn;
  if (name == "error") return Level::error;
  if (name == "off") return Level::off;
  return std::nullopt;
}

void apply_directive(State& s, std::string_view directive) {
  const auto equals = directive.find('=');
  const auto level = parse_level(equals == std::string_view::npos ? directive : directive.substr(equals + 1));
  if (equals != std::string_view::npos && level) {
    // RUST_LOG names modules as a::b; ours have one segment, so the first is what counts.
    auto target = directive.substr(0, equals);
    s.targets[lower(target.substr(0, target.find("::")))] = *level;
  } else if (level) {
    s.level = *level;
  } else if (equals == std::string_view::npos && !directive.empty()) {
    s.targets[lower(directive.substr(0, directive.find("::")))] = Level::trace;
  }
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return true;
  }
  return false;
}

void append_quoted(std::string& line, std::string_view value) {
  static constexpr std::string_view hex = "0123456789abcdef";
  line += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      line += "\\x";
      line += hex[byte >> 4];
      line += hex[byte & 15];
    } else {
      line += c;
    }
  }
  line += '"';
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::trace: return spdlog::level::trace;
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  std::unreachable();
}

}  // namespace

void init(std::string_view program, Level fallback) {
  {
    State& s = state();
    const std::scoped_lock lock(s.mutex);
    s.level = fallback;
    s.targets.clear();
    s.sink->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ " + std::string{program} + " %v", spdlog::pattern_time_type::utc);
  }
  for (const char* name : {"RUST_LOG", "COFFER_LOG"}) {
    if (const char* filter = std::getenv(name); filter != nullptr && *filter != '\0') set_filter(filter);
  }
}

void set_filter(std::string_view filter) {
  State& s = state();
  const std::scoped_lock lock(s.mutex);
  while (!filter.empty()) {
    const auto comma = filter.find(',');
    apply_directive(s, filter.substr(0, comma));
    if (comma == std::string_view::npos) break;
    filter.remove_prefix(comma + 1);
  }
}

bool enabled(Level level, std::string_view event) {
  State& s = state();
  const std::scoped_lock lock(s.mutex);
  const auto found = s.targets.find(event.substr(0, event.find('.')));
  return level >= (found == s.targets.end() ? s.level : found->second);
}

void write(Level level, std::string_view event, std::string_view message, std::initializer_list<Field> fields) {
  if (!enabled(level, event)) return;
  std::string line{event};
  if (!message.empty()) {
    line += ' ';
    append_quoted(line, message);
  }
  for (const auto& [key, value] : fields) {
    line += ' ';
    line += key;
    line += '=';
    if (needs_quotes(value)) {
      append_quoted(line, value);
    } else {
      line += value;
    }
  }
  state().sink->log(to_spdlog(level), line);
}

}  // namespace coffer::log

// Logs are events with fields, one line each on standard error, written at the boundary that knows what happened.
// RUST_LOG is honoured as upstream's programs do ("info", "debug,net=warn"): the target is the part before the dot of
// the event's name.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace coffer::log {

enum class Level { trace, debug, info, warn, error, off };

struct Field {
  std::string_view key;
  std::string value;
};

// Call once from main(). `program` starts each line; `fallback` holds where neither RUST_LOG nor COFFER_LOG is set.
void init(std::string_view program, Level fallback = Level::info);

// "warn", "debug", ...; also a list of target=level pairs in RUST_LOG's manner. Wrong text is reported and ignored.
void set_filter(std::string_view filter);

bool enabled(Level level, std::string_view event);

// event: stable, "target.what_happened". message: a sentence, or empty. Values are quoted where needed.
// Never pass a secret.
void write(Level level, std::string_view event, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::debug, event, message, fields);
}
inline void info(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, message, fields);
}
inline void warn(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::warn, event, message, fields);
}
inline void error(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::error, event, message, fields);
}

}  // namespace coffer::log

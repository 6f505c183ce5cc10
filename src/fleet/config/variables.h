// Settings by environment variables with a prefix, as upstream's programs take them, and flags that win over them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "fleet/config/error.h"

namespace coffer::fleet {

// The value of an environment variable; nothing where it is not set.
using Lookup = std::function<std::optional<std::string>(const std::string& name)>;
Lookup process_environment();

class Variables {
 public:
  // `flags`: values from the command line by name without prefix ("MQTT_ADDRESS"). They win.
  Variables(std::string prefix, Lookup lookup, std::map<std::string, std::string> flags = {});

  // All read PREFIX + name; a value that is empty counts as not set. ConfigError::bad_value names the variable.
  std::string text(std::string_view name, std::string_view fallback = {}) const;
  std::optional<std::string> find(std::string_view name) const;
  // One without the prefix ("MODEL_REGISTRY_URL").
  std::optional<std::string> find_plain(const std::string& name) const;
  // True: 1, true, yes, on; false: 0, false, no, off; any case.
  Result<bool> flag(std::string_view name, bool fallback) const;
  Result<std::optional<bool>> optional_flag(std::string_view name) const;
  Result<std::uint64_t> number(std::string_view name, std::uint64_t fallback, std::uint64_t min = 0,
                               std::uint64_t max = std::numeric_limits<std::uint64_t>::max()) const;
  Result<double> fraction(std::string_view name, double fallback) const;  // clamped to 0..1
  // "10" (seconds), and Go's "10s", "1m30s", "500ms" as upstream's docker/.env has it.
  Result<Duration> duration(std::string_view name, Duration fallback) const;
  std::vector<std::string> list(std::string_view name, char separator) const;  // trimmed, without empty entries

  // "PROPLET_MQTT_QOS", or "--mqtt-qos" where the flag gave the value: for messages.
  std::string name_of(std::string_view name) const;

 private:
  std::unexpected<Error> bad(std::string_view name, std::string_view expected) const;
  std::string prefix_;
  Lookup lookup_;
  std::map<std::string, std::string> flags_;
};

// Nothing where the text is no duration. A bare number counts seconds.
std::optional<Duration> parse_duration(std::string_view text);
// "MQTT_ADDRESS" as a flag: "--mqtt-address".
std::string flag_name(std::string_view variable);

}  // namespace coffer::fleet

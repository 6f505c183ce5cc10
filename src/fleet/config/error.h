#pragma once

#include "base/result.h"

namespace coffer::fleet {

enum class ConfigError {
  bad_value,    // a variable or flag whose text does not mean anything; the message names it
  missing,      // a variable that nothing stands in for
  unreadable,   // a file that cannot be read, is too large, or is no TOML of the right shape
  unsupported,  // a setting of upstream's that is refused here
};
std::string_view code_name(ConfigError code);  // "fleet.config_bad_value"

}  // namespace coffer::fleet

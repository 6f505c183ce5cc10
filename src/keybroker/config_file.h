// Reads Trustee's configuration in every generation that is in the field (trustee.md 8 and 8.1).
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "keybroker/config.h"

namespace coffer::keybroker {

enum class ConfigFormat { toml, yaml, json };

// The format follows the extension: .yaml and .yml, .json, everything else TOML.
Result<Config> load_config(const std::filesystem::path& file);

// `name` stands in messages ("kbs-config.toml:12: ..."). Unknown keys of upstream's format become notices; in our own
// [coffer] table they are BrokerError::config_unknown_key. A value that does not parse is BrokerError::config_value
// with file, line and what was expected.
Result<Config> parse_config(std::string_view text, ConfigFormat format, std::string_view name);

}  // namespace coffer::keybroker

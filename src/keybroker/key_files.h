// Files and addresses that a configuration names.
#pragma once

#include <filesystem>
#include <string>

#include "keybroker/error.h"

namespace coffer::keybroker {

inline constexpr std::size_t max_key_file_size = 1U << 20;

// config_file where it cannot be read or is over max_key_file_size. `what` names the setting.
Result<std::string> read_text_file(const std::filesystem::path& file, std::string_view what);

// A path, "file:///path" or "https://...". Plain http is refused: whoever answers there decides who is administrator.
Result<std::string> read_uri(const std::string& uri, std::string_view what);

}  // namespace coffer::keybroker

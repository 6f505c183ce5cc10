// Paths inside of an archive: what may be written below a directory, and nothing else.
#pragma once

#include <string>
#include <string_view>

#include "image/error.h"

namespace coffer::image::unpack {

// "./a//b/" to "a/b"; "." and "./" to "". bad_path for absolute paths, "..", control characters below 0x20 (NUL
// included), over 4,096 bytes, over 255 in one component, or over
// 256 levels.
Result<std::string> clean_entry_path(std::string_view path);

std::string_view parent_of(std::string_view clean_path);  // "" for the root
std::string_view name_of(std::string_view clean_path);

}  // namespace coffer::image::unpack

#pragma once

#include <string_view>

namespace coffer {

// The release, "0.1.0".
std::string_view version();

}  // namespace coffer

// Words of strangers (peers, images, guests) on their way to a person.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace coffer {

// One line: control characters, which could steer a terminal, become spaces.
std::string printable(std::string_view text);
// And at most `longest` bytes, cut with "..." where there are more.
std::string printable(std::string_view text, std::size_t longest);

}  // namespace coffer

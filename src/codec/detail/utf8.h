// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <optional>
#include <string_view>

namespace coffer::codec::detail {

// Bytes of the sequence that begins at `offset` (1 to 4), or 0 where none that is valid begins there.
std::size_t utf8_sequence_size(std::string_view text, std::size_t offset);

// How many bytes at the start are ASCII: nearly all of most texts, and cheap to skip.
std::size_t ascii_prefix_size(std::string_view text);

// The offset of the first byte that begins no valid sequence, or nothing where all of `text` is valid.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

}  // namespace coffer::codec::detail

// Pieces of the JSON parser that know no parser.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/json.h"

namespace coffer::codec::detail::json_scan {

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// For error texts: enough to recognise a key or number by, never a whole document.
std::string excerpt(std::string_view text);
// "line 3, column 7: ", both from 1; columns count bytes.
std::string place_of(std::string_view text, std::size_t offset);

// The bytes at the beginning of `text` that stand for themselves in a string: all but quotes, backslashes and control
// characters (RFC 8259 section 7).
std::size_t plain_prefix_size(std::string_view text);
// How many elements an array of numbers alone has that begins here, behind its bracket: one more than commas.
std::size_t count_numbers(std::string_view text);
void append_utf8(std::string& out, std::uint32_t code_point);

// Of a text that the grammar allows. number_range.
Result<json::Value> parse_number(std::string_view text);
// A key that stands twice among the members of one object.
std::optional<std::string_view> find_duplicate(const json::Object& object);

}  // namespace coffer::codec::detail::json_scan

#include "codec/detail/json_scan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace coffer::codec::detail::json_scan {

using json::JsonError;
using json::Object;
using json::Value;

namespace {

// What arrays of numbers alone are made of. It ends at every bracket, so that nested arrays are not counted twice.
constexpr auto of_numbers = [] {
  std::array<bool, 256> out{};
  for (const char c : std::string_view{"0123456789,-+.eE \n\r\t"}) out[static_cast<unsigned char>(c)] = true;
  return out;
}();

// Objects are mostly so small that comparing all pairs of keys is faster than sorting them.
constexpr std::size_t small_object = 16;

std::optional<std::string_view> find_duplicate_among_few(const Object& object) {
  for (const auto* member = object.begin(); member != object.end(); ++member) {
    const auto same = [&](const Object::Member& other) { return other.first == member->first; };
    if (std::any_of(object.begin(), member, same)) return member->first;
  }
  return std::nullopt;
}

}  // namespace

std::string excerpt(std::string_view text) {
  constexpr std::size_t most = 40;
  return text.size() <= most ? std::string{text} : std::string{text.substr(0, most)} + "...";
}

std::optional<std::string_view> find_duplicate(const Object& object) {
  if (object.size() <= small_object) return find_duplicate_among_few(object);
  std::vector<std::string_view> keys;
  keys.reserve(object.size());
  for (const auto& [key, value] : object) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice == keys.end()) return std::nullopt;
  return *twice;
}

Result<Value> parse_number(std::string_view text) {
  const auto* end = text.data() + text.size();
  if (text.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t number = 0;
    if (std::from_chars(text.data(), end, number).ec == std::errc{}) return Value{number};
    std::uint64_t large = 0;
    if (text.front() != '-' && std::from_chars(text.data(), end, large).ec == std::errc{}) return Value{large};
  }
  double number = 0;
  if (std::from_chars(text.data(), end, number).ec == std::errc{}) return Value{number};
  return fail(JsonError::number_range, "the number " + excerpt(text) + " is beyond what a double can hold");
}

std::string place_of(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return "line " + std::to_string(line) + ", column " + std::to_string(offset - line_start + 1) + ": ";
}

// Eight at a time, because quotes and keys come as long texts of base64.
std::size_t plain_prefix_size(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t highs = ones * 0x80;
  const auto with_zero = [](std::uint64_t word) { return (word - ones) & ~word & highs; };
  std::size_t offset = 0;
  for (; offset + sizeof(std::uint64_t) <= text.size(); offset += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + offset, sizeof(word));
    const auto control = (word - ones * 0x20) & ~word & highs;
    if ((control | with_zero(word ^ (ones * '"')) | with_zero(word ^ (ones * '\\'))) != 0) break;
  }
  const auto plain = [](char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; };
  while (offset < text.size() && plain(text[offset])) ++offset;
  return offset;
}

std::size_t count_numbers(std::string_view text) {
  std::size_t commas = 0;
  for (const char c : text) {
    if (!of_numbers[static_cast<unsigned char>(c)]) break;
    commas += c == ',' ? 1 : 0;
  }
  return commas + 1;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto continuation = [&](unsigned shift) { out += static_cast<char>(0x80 | ((code_point >> shift) & 0x3f)); };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xc0 | (code_point >> 6));
    continuation(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xe0 | (code_point >> 12));
    continuation(6);
    continuation(0);
  } else {
    out += static_cast<char>(0xf0 | (code_point >> 18));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

}  // namespace coffer::codec::detail::json_scan

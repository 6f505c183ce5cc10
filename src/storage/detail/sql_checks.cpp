#include "storage/detail/sql_checks.h"

namespace coffer::storage::detail {
namespace {

// The length of the UTF-8 sequence that begins here (RFC 3629 section 4), or 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto first = at(0);
  const auto within = [&](unsigned low, unsigned high) { return at(1) >= low && at(1) <= high; };
  const auto continues = [&](std::size_t i) { return (at(i) & 0xc0U) == 0x80U; };
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : 0xbf;
    return within(low, high) && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    return within(low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

Result<> check_values(std::span<const SqlValue> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto* text = std::get_if<std::string>(&values[i]);
    if (text == nullptr) continue;
    if (text->find('\0') != std::string::npos) {
      return fail(SqlError::bad_value, "value $" + std::to_string(i + 1) + " is text with a NUL character");
    }
    if (!is_utf8(*text)) return fail(SqlError::bad_value, "value $" + std::to_string(i + 1) + " is not UTF-8 text");
  }
  return {};
}

}  // namespace coffer::storage::detail

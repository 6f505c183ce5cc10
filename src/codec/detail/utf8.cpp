#include "codec/detail/utf8.h"

#include <cstdint>
#include <cstring>

namespace coffer::codec::detail {
namespace {

struct LeadByte {
  std::size_t size;         // of the sequence, 0 where the byte cannot begin one
  std::uint8_t second_low;  // the range of the second byte, which rules out overlong forms and surrogates
  std::uint8_t second_high;
};

// Table 3-7 of the Unicode standard, which RFC 3629 section 4 spells as a grammar.
constexpr LeadByte classify(std::uint8_t lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xc2) return {0, 0, 0};
  if (lead < 0xe0) return {2, 0x80, 0xbf};
  if (lead == 0xe0) return {3, 0xa0, 0xbf};
  if (lead == 0xed) return {3, 0x80, 0x9f};
  if (lead < 0xf0) return {3, 0x80, 0xbf};
  if (lead == 0xf0) return {4, 0x90, 0xbf};
  if (lead < 0xf4) return {4, 0x80, 0xbf};
  if (lead == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

std::size_t utf8_sequence_size(std::string_view text, std::size_t offset) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[offset + i]); };
  const auto lead = classify(at(0));
  if (lead.size <= 1) return lead.size;
  if (text.size() - offset < lead.size) return 0;
  if (at(1) < lead.second_low || at(1) > lead.second_high) return 0;
  for (std::size_t i = 2; i < lead.size; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  return lead.size;
}

std::size_t ascii_prefix_size(std::string_view text) {
  std::size_t offset = 0;
  for (; offset + sizeof(std::uint64_t) <= text.size(); offset += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + offset, sizeof(word));
    if ((word & 0x8080808080808080) != 0) break;
  }
  while (offset < text.size() && static_cast<std::uint8_t>(text[offset]) < 0x80) ++offset;
  return offset;
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  std::size_t offset = ascii_prefix_size(text);
  while (offset < text.size()) {
    const auto size = utf8_sequence_size(text, offset);
    if (size == 0) return offset;
    offset += size;
    offset += ascii_prefix_size(text.substr(offset));
  }
  return std::nullopt;
}

}  // namespace coffer::codec::detail

#include "evidence/eventlog/text.h"

#include <fmt/format.h>

#include "codec/base64.h"

namespace coffer::evidence::eventlog {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

void append_utf8(std::string& out, char32_t point) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

struct Range {
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
};

// Bytes of the well-formed character at the beginning of `text` (Unicode 15, table 3-7), 0 for none.
std::size_t character_size(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = at(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  Range second;
  if (lead == 0xe0) second.low = 0xa0;
  if (lead == 0xed) second.high = 0x9f;
  if (lead == 0xf0) second.low = 0x90;
  if (lead == 0xf4) second.high = 0x8f;
  if (text.size() < size || at(1) < second.low || at(1) > second.high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if (at(i) < 0x80 || at(i) > 0xbf) return 0;
  }
  return size;
}

}  // namespace

std::string from_utf16le(ByteView text) {
  std::string out;
  const auto units = text.size() / 2;
  const auto unit = [text](std::size_t i) {
    return static_cast<char32_t>(std::to_integer<unsigned>(text[2 * i]) | std::to_integer<unsigned>(text[2 * i + 1])
                                                                              << 8);
  };
  const auto is_low = [&](std::size_t i) { return i < units && (unit(i) & 0xfc00) == 0xdc00; };
  for (std::size_t i = 0; i < units; ++i) {
    const auto first = unit(i);
    if ((first & 0xf800) != 0xd800) {
      append_utf8(out, first);
    } else if ((first & 0xfc00) == 0xd800 && is_low(i + 1)) {
      append_utf8(out, 0x10000 + ((first & 0x3ff) << 10 | (unit(++i) & 0x3ff)));
    } else {
      out += replacement;
    }
  }
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto size = character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string repaired_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto size = character_size(text);
    out += size == 0 ? replacement : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

std::string plain_guid(ByteView guid) {
  const auto hex = codec::hex_encode(guid.first(16));
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

std::string uefi_guid(ByteView guid) {
  const auto at = [guid](std::size_t i) { return std::to_integer<unsigned>(guid[i]); };
  std::string out = fmt::format("{:02X}{:02X}{:02X}{:02X}-{:02X}{:02X}-{:02X}{:02X}-{:02X}{:02X}-", at(3), at(2), at(1),
                                at(0), at(5), at(4), at(7), at(6), at(8), at(9));
  for (std::size_t i = 10; i < 16; ++i) out += fmt::format("{:02X}", at(i));
  return out;
}

}  // namespace coffer::evidence::eventlog

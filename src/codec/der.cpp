#include "codec/der.h"

namespace coffer::codec::der {
namespace {

constexpr std::size_t max_length_octets = 4;
constexpr std::size_t max_oid_size = 64;

std::unexpected<Error> malformed(std::string message) {
  return fail(DerError::malformed, std::move(message));
}

// X.690 section 8.1.3, held to the form with the fewest octets (section 10.1).
Result<std::size_t> read_length(ByteReader& reader) {
  const auto first = TRY(reader.u8("DER length"));
  if (first < 0x80) return first;
  const std::size_t octets = first & 0x7f;
  if (octets == 0) return malformed("DER has no indefinite lengths, and here is one");
  if (octets > max_length_octets) return malformed("a DER length of " + std::to_string(octets) + " octets is too long");
  std::size_t length = 0;
  for (const auto octet : TRY(reader.bytes(octets, "DER length")))
    length = length << 8 | std::to_integer<std::size_t>(octet);
  const bool minimal = octets == 1 ? length >= 0x80 : length >> (8 * (octets - 1)) != 0;
  if (!minimal) return malformed("a DER length is written with more octets than it needs");
  return length;
}

std::string hex_tag(std::uint8_t tag) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'0', 'x', digits[tag >> 4], digits[tag & 0xf]};
}

Result<Element> read_element(ByteReader& reader, ByteView rest) {
  const auto tag = TRY(reader.u8("DER tag"));
  // No format that we read has tag numbers from 31, which take more octets.
  if ((tag & 0x1f) == 0x1f) return malformed("a DER tag of several octets is not supported");
  const auto length = TRY(read_length(reader));
  const auto header = rest.size() - reader.remaining();
  const auto content = TRY(reader.bytes(length, "DER content"));
  return Element{tag, content, rest.first(header + length)};
}

}  // namespace

std::string_view code_name(DerError code) {
  switch (code) {
    case DerError::malformed: return "der.malformed";
    case DerError::wrong_tag: return "der.wrong_tag";
  }
  return "der.unknown";
}

Result<Element> Reader::next() {
  ByteReader look_ahead = reader_;
  auto element = read_element(reader_, look_ahead.rest());
  if (element) return element;
  return malformed(std::move(element.error().message));
}

Result<Element> Reader::expect(std::uint8_t tag, std::string_view what) {
  auto element = TRY(next());
  if (element.tag == tag) return element;
  return fail(DerError::wrong_tag,
              std::string{what} + " must have the tag " + hex_tag(tag) + ", and has " + hex_tag(element.tag));
}

// X.690 section 8.19.
Result<std::string> oid_text(ByteView content) {
  if (content.empty() || content.size() > max_oid_size) {
    return malformed("an OID must have 1 to 64 octets, and has " + std::to_string(content.size()));
  }
  if ((content.back() & std::byte{0x80}) != std::byte{0}) return malformed("an OID ends in the middle of an arc");
  std::string text;
  std::uint64_t arc = 0;
  bool at_start = true;
  for (const auto octet : content) {
    if (at_start && octet == std::byte{0x80}) return malformed("an OID has an arc with a leading zero");
    if (arc >> 57 != 0) return malformed("an OID has an arc of more than 64 bits");
    arc = arc << 7 | std::to_integer<std::uint64_t>(octet & std::byte{0x7f});
    at_start = (octet & std::byte{0x80}) == std::byte{0};
    if (!at_start) continue;
    if (text.empty()) {
      const auto root = std::min<std::uint64_t>(arc / 40, 2);
      text = std::to_string(root) + "." + std::to_string(arc - root * 40);
    } else {
      text += "." + std::to_string(arc);
    }
    arc = 0;
  }
  return text;
}

// X.690 section 8.3: two's complement in the fewest octets.
Result<ByteView> unsigned_bytes(ByteView content) {
  if (content.empty()) return malformed("an INTEGER must have at least one octet");
  const auto top_bit = [](std::byte octet) { return (octet & std::byte{0x80}) != std::byte{0}; };
  if (top_bit(content.front())) return malformed("an INTEGER must not be negative here");
  if (content.size() == 1 || content.front() != std::byte{0}) return content;
  if (!top_bit(content[1])) return malformed("an INTEGER has a superfluous leading zero");
  return content.subspan(1);
}

Result<std::uint64_t> unsigned_integer(ByteView content) {
  const auto bytes = TRY(unsigned_bytes(content));
  if (bytes.size() > sizeof(std::uint64_t)) return malformed("an INTEGER has more than 64 bits");
  std::uint64_t value = 0;
  for (const auto octet : bytes) value = value << 8 | std::to_integer<std::uint64_t>(octet);
  return value;
}

// X.690 section 11.1: one octet, all bits alike.
Result<bool> boolean(ByteView content) {
  if (content.size() == 1 && content[0] == std::byte{0}) return false;
  if (content.size() == 1 && content[0] == std::byte{0xff}) return true;
  return malformed("a BOOLEAN must be one octet, 0x00 or 0xff");
}

// X.690 section 8.6.2: the first octet counts the bits of the last that are not used.
Result<ByteView> bit_string_octets(ByteView content) {
  if (content.empty()) return malformed("a BIT STRING must have at least one octet");
  if (content.front() != std::byte{0}) return malformed("a BIT STRING must end with a whole octet here");
  return content.subspan(1);
}

}  // namespace coffer::codec::der

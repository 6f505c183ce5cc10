#include <algorithm>
#include <charconv>
#include <vector>

#include "codec/der.h"

namespace coffer::codec::der {
namespace {

std::unexpected<Error> no_oid(std::string_view dotted) {
  return fail(DerError::malformed, "'" + std::string{dotted} + "' is no OID");
}

// X.690 section 10.1: the fewest octets.
void put_length(ByteWriter& out, std::size_t size) {
  if (size < 0x80) {
    out.u8(static_cast<std::uint8_t>(size));
  } else if (size <= 0xff) {
    out.u8(0x81).u8(static_cast<std::uint8_t>(size));
  } else if (size <= 0xffff) {
    out.u8(0x82).u16_be(static_cast<std::uint16_t>(size));
  } else if (size <= 0xffffff) {
    out.u8(0x83).u8(static_cast<std::uint8_t>(size >> 16)).u16_be(static_cast<std::uint16_t>(size));
  } else {
    out.u8(0x84).u32_be(static_cast<std::uint32_t>(size));
  }
}

// X.690 section 8.19.2: seven bits an octet, all but the last with the top bit.
void put_arc(Bytes& out, std::uint64_t arc) {
  Bytes reversed;
  do {
    const auto more = reversed.empty() ? 0U : 0x80U;
    reversed.push_back(static_cast<std::byte>(more | (arc & 0x7f)));
    arc >>= 7;
  } while (arc != 0);
  out.insert(out.end(), reversed.rbegin(), reversed.rend());
}

Result<std::vector<std::uint64_t>> arcs_of(std::string_view dotted) {
  std::vector<std::uint64_t> arcs;
  const char* cursor = dotted.data();
  const char* end = cursor + dotted.size();
  while (true) {
    auto& arc = arcs.emplace_back();
    const bool zero_padded = end - cursor > 1 && cursor[0] == '0' && cursor[1] != '.';
    const auto read = std::from_chars(cursor, end, arc);
    if (zero_padded || read.ec != std::errc{}) return no_oid(dotted);
    if (read.ptr == end) return arcs;
    if (*read.ptr != '.') return no_oid(dotted);
    cursor = read.ptr + 1;
  }
}

}  // namespace

Bytes encode(std::uint8_t tag, ByteView content) {
  ByteWriter out;
  out.u8(tag);
  put_length(out, content.size());
  return out.bytes(content).take();
}

Bytes encode_sequence(std::initializer_list<ByteView> elements) {
  return encode(0x30, concat(elements));
}

Bytes encode_octet_string(ByteView content) {
  return encode(0x04, content);
}

Bytes encode_integer(ByteView magnitude) {
  const auto first = std::ranges::find_if(magnitude, [](std::byte octet) { return octet != std::byte{0}; });
  const ByteView digits{first, magnitude.end()};
  const bool needs_zero = digits.empty() || (digits.front() & std::byte{0x80}) != std::byte{0};
  return encode(0x02, concat({Bytes(needs_zero ? 1 : 0), digits}));
}

Bytes encode_integer(std::uint64_t value) {
  return encode_integer(ByteWriter{}.u64_be(value).view());
}

Result<Bytes> encode_oid(std::string_view dotted) {
  const auto arcs = TRY(arcs_of(dotted));
  const bool valid = arcs.size() >= 2 && arcs[0] <= 2 && (arcs[0] == 2 || arcs[1] < 40) && arcs[1] <= UINT64_MAX - 80;
  if (!valid) return no_oid(dotted);
  Bytes content;
  put_arc(content, 40 * arcs[0] + arcs[1]);
  for (std::size_t i = 2; i < arcs.size(); ++i) put_arc(content, arcs[i]);
  return encode(0x06, content);
}

}  // namespace coffer::codec::der

// ECDSA-Sig-Value (RFC 3279 section 2.2.3) in strict DER. Written out, because OpenSSL's parser takes BER.
#include <algorithm>

#include "base/byte_reader.h"
#include "crypto/keys.h"

namespace coffer::crypto {
namespace {

constexpr std::uint8_t tag_integer = 0x02;
constexpr std::uint8_t tag_sequence = 0x30;

Result<std::size_t> ec_size(KeyKind curve) {
  if (curve == KeyKind::rsa || curve == KeyKind::ed25519) {
    return fail(CryptoError::bad_key, std::string{name_of(curve)} + " has no ECDSA signatures");
  }
  return coordinate_size(curve);
}

std::unexpected<Error> not_der(std::string_view why) {
  return fail(CryptoError::bad_signature, "not an ECDSA signature in DER: " + std::string{why});
}

// The content of one element. X.690 section 10.1: definite lengths in the fewest octets; ours stay under 256.
Result<ByteView> element(ByteReader& reader, std::uint8_t tag) {
  if (TRY(reader.u8("tag")) != tag) return not_der("an unexpected tag");
  std::size_t size = TRY(reader.u8("length"));
  if (size == 0x81) {
    size = TRY(reader.u8("length"));
    if (size < 0x80) return not_der("a length in more octets than it needs");
  } else if (size >= 0x80) {
    return not_der("a length that is indefinite or too long");
  }
  return reader.bytes(size, "content");
}

// Appends one INTEGER, padded to `size` bytes.
Result<> append_integer(ByteReader& reader, std::size_t size, Bytes& out) {
  auto content = TRY(element(reader, tag_integer));
  if (content.empty()) return not_der("an empty INTEGER");
  const auto high = [](std::byte b) { return (b & std::byte{0x80}) != std::byte{0}; };
  if (high(content[0])) return not_der("a negative INTEGER");
  if (content[0] == std::byte{0}) {
    // X.690 section 8.3.2: the first nine bits are not all zero; and r and s are at least 1.
    if (content.size() == 1) return not_der("an INTEGER that is zero");
    if (!high(content[1])) return not_der("an INTEGER in more octets than it needs");
    content = content.subspan(1);
  }
  if (content.size() > size) return not_der("an INTEGER larger than the curve's order");
  out.resize(out.size() + size - content.size());
  out.insert(out.end(), content.begin(), content.end());
  return {};
}

Result<Bytes> parse(ByteView der, std::size_t size) {
  ByteReader outer(der);
  ByteReader inner(TRY(element(outer, tag_sequence)));
  Bytes raw;
  raw.reserve(2 * size);
  TRY(append_integer(inner, size, raw));
  TRY(append_integer(inner, size, raw));
  TRY(inner.expect_end("the signature"));
  TRY(outer.expect_end("the signature"));
  return raw;
}

// A big-endian number at the end of `size` bytes.
Result<Bytes> padded(ByteView number, std::size_t size) {
  const auto leading = std::ranges::find_if(number, [](std::byte b) { return b != std::byte{0}; }) - number.begin();
  const auto digits = number.subspan(static_cast<std::size_t>(leading));
  if (digits.size() > size) {
    return fail(CryptoError::bad_signature, "a number of an ECDSA signature has " + std::to_string(digits.size()) +
                                                " bytes, over the curve's " + std::to_string(size));
  }
  Bytes out(size - digits.size());
  out.insert(out.end(), digits.begin(), digits.end());
  return out;
}

Result<Bytes> integer(ByteView number) {
  const auto* first =
      std::ranges::find_if(number.data(), number.data() + number.size(), [](std::byte b) { return b != std::byte{0}; });
  const auto leading = static_cast<std::size_t>(first - number.data());
  const auto digits = number.subspan(leading);
  if (digits.empty()) return fail(CryptoError::bad_signature, "r and s of an ECDSA signature are never zero");
  const bool sign_byte = (digits[0] & std::byte{0x80}) != std::byte{0};
  ByteWriter out;
  out.u8(tag_integer).u8(static_cast<std::uint8_t>(digits.size() + (sign_byte ? 1 : 0)));
  if (sign_byte) out.u8(0);
  return out.bytes(digits).take();
}

}  // namespace

Result<Bytes> ecdsa_from_der(KeyKind curve, ByteView der) {
  const auto size = TRY(ec_size(curve));
  auto raw = parse(der, size);
  // The reader's own errors (truncated, trailing bytes) say what is wrong; the code says of what.
  if (!raw && raw.error().code != CryptoError::bad_signature) return not_der(raw.error().message);
  return raw;
}

Result<Bytes> ecdsa_from_big_endian(KeyKind curve, ByteView r, ByteView s) {
  const auto size = TRY(ec_size(curve));
  return concat({
    TRY(padded(r, size))
    , TRY(padded(s, size))
  });
}

Result<Bytes> ecdsa_from_little_endian(KeyKind curve, ByteView r, ByteView s) {
  return ecdsa_from_big_endian(curve, Bytes(r.rbegin(), r.rend()), Bytes(s.rbegin(), s.rend()));
}

Result<Bytes> ecdsa_to_der(KeyKind curve, ByteView raw) {
  const auto size = TRY(ec_size(curve));
  if (raw.size() != 2 * size) {
    return fail(CryptoError::bad_signature, "an ECDSA signature on " + std::string{name_of(curve)} + " has " +
                                                std::to_string(2 * size) + " bytes, not " + std::to_string(raw.size()));
  }
  const auto content = concat({
    TRY(integer(raw.first(size)))
    , TRY(integer(raw.last(size)))
  });
  ByteWriter out;
  out.u8(tag_sequence);
  if (content.size() >= 0x80) out.u8(0x81);
  return out.u8(static_cast<std::uint8_t>(content.size())).bytes(content).take();
}

}  // namespace coffer::crypto

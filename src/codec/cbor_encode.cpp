#include <algorithm>
#include <bit>
#include <cmath>

#include "base/byte_reader.h"
#include "codec/cbor.h"

namespace coffer::codec::cbor {
namespace {

enum class Major : std::uint8_t {
  unsigned_integer,
  negative_integer,
  byte_string,
  text_string,
  array,
  map,
  tag,
  simple
};

// The bits of a half float that equals `value`, where there is one (IEEE 754 binary16).
std::optional<std::uint16_t> exact_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const auto exponent = static_cast<int>(bits >> 23 & 0xff) - 127;
  const auto fraction = bits & 0x7fffff;
  if (exponent == 128) return fraction == 0 ? std::optional<std::uint16_t>(sign | 0x7c00) : std::nullopt;
  if ((bits & 0x7fffffff) == 0) return sign;
  if (exponent > 15 || exponent < -24) return std::nullopt;
  if (exponent >= -14) {
    if ((fraction & 0x1fff) != 0) return std::nullopt;
    return static_cast<std::uint16_t>(sign | (exponent + 15) << 10 | fraction >> 13);
  }
  const auto significand = fraction | 0x800000;  // subnormal: the leading one is written out
  const auto shift = static_cast<unsigned>(-exponent - 1);
  if ((significand & ((1U << shift) - 1)) != 0) return std::nullopt;
  return static_cast<std::uint16_t>(sign | significand >> shift);
}

class Encoder {
 public:
  Bytes take() { return out_.take(); }

  void value(const Value& value) {
    std::visit([this](const auto& v) { encode(v); }, value.data());
  }

 private:
  // Section 3, the argument in its shortest form (section 4.2.1).
  void head(Major major, std::uint64_t argument) {
    const auto initial = static_cast<std::uint8_t>(static_cast<unsigned>(major) << 5);
    if (argument < 24) {
      out_.u8(static_cast<std::uint8_t>(initial | argument));
    } else if (argument <= 0xff) {
      out_.u8(initial | 24).u8(static_cast<std::uint8_t>(argument));
    } else if (argument <= 0xffff) {
      out_.u8(initial | 25).u16_be(static_cast<std::uint16_t>(argument));
    } else if (argument <= 0xffffffff) {
      out_.u8(initial | 26).u32_be(static_cast<std::uint32_t>(argument));
    } else {
      out_.u8(initial | 27).u64_be(argument);
    }
  }

  void simple(std::uint8_t number) { head(Major::simple, number); }

  void encode(std::monostate) { simple(22); }
  void encode(bool v) { simple(v ? 21 : 20); }
  void encode(Undefined) { simple(23); }
  void encode(Simple v) { simple(v.number); }
  void encode(std::uint64_t v) { head(Major::unsigned_integer, v); }
  void encode(Negative v) { head(Major::negative_integer, v.n); }
  void encode(const Bytes& v) {
    head(Major::byte_string, v.size());
    out_.bytes(v);
  }
  void encode(const std::string& v) {
    head(Major::text_string, v.size());
    out_.bytes(as_bytes(v));
  }
  void encode(const Array& v) {
    head(Major::array, v.size());
    for (const auto& element : v) value(element);
  }

  // The shortest float that holds the value; one spelling of NaN (section 4.2.2).
  void encode(double v) {
    const auto single = static_cast<float>(v);
    if (std::isnan(v)) {
      out_.u8(0xf9).u16_be(0x7e00);
    } else if (static_cast<double>(single) != v) {
      out_.u8(0xfb).u64_be(std::bit_cast<std::uint64_t>(v));
    } else if (const auto half = exact_half(single)) {
      out_.u8(0xf9).u16_be(*half);
    } else {
      out_.u8(0xfa).u32_be(std::bit_cast<std::uint32_t>(single));
    }
  }

  // Entries in the bytewise order of their encoded keys (section 4.2.1).
  void encode(const Map& v) {
    std::vector<std::pair<Bytes, const Value*>> entries;
    entries.reserve(v.size());
    for (const auto& [key, content] : v) entries.emplace_back(cbor::encode(key), &content);
    std::sort(entries.begin(), entries.end());
    head(Major::map, v.size());
    for (const auto& [key, content] : entries) {
      out_.bytes(key);
      value(*content);
    }
  }

  void encode(const std::shared_ptr<const Tagged>& v) {
    head(Major::tag, v->tag);
    value(v->content);
  }

  ByteWriter out_;
};

}  // namespace

Bytes encode(const Value& value) {
  Encoder encoder;
  encoder.value(value);
  return encoder.take();
}

}  // namespace coffer::codec::cbor

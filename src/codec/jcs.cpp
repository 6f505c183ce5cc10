#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "codec/detail/json_text.h"
#include "codec/detail/utf8.h"
#include "codec/json.h"

namespace coffer::codec::json {
namespace {

constexpr std::int64_t largest_exact = std::int64_t{1} << 53;

// The shortest decimal digits of a positive number, and n such that it equals 0.DIGITS times 10 to the n.
struct Decimal {
  std::string digits;
  int n;
};

Decimal shortest_decimal(double number) {
  std::array<char, 32> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific).ptr;
  const std::string_view text{buffer.data(), static_cast<std::size_t>(end - buffer.data())};
  const auto e = text.find('e');
  Decimal decimal{{}, 0};
  for (const char c : text.substr(0, e)) {
    if (c != '.') decimal.digits += c;
  }
  const auto exponent = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), decimal.n);
  ++decimal.n;
  return decimal;
}

// Members are ordered by the UTF-16 code units of their keys (RFC 8785 section 3.2.3). UTF-8 sorts by code point, which
// differs in one thing: surrogates, that is four-byte sequences, come before U+E000 to U+FFFF, which begin EE or EF.
constexpr unsigned utf16_rank(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0xee || byte == 0xef ? byte + 0x10U : byte;
}

bool utf16_less(const Object::Member* a, const Object::Member* b) {
  return std::lexicographical_compare(a->first.begin(), a->first.end(), b->first.begin(), b->first.end(),
                                      [](char x, char y) { return utf16_rank(x) < utf16_rank(y); });
}

class Canonicalizer {
 public:
  std::string take() { return std::move(out_); }

  Result<> value(const Value& value) {
    if (const auto* array = value.if_array()) return this->array(*array);
    if (const auto* object = value.if_object()) return this->object(*object);
    if (const auto* text = value.if_string()) return string(*text);
    if (value.is_number()) return number(value);
    const auto* truth = value.if_bool();
    out_ += truth == nullptr ? "null" : *truth ? "true" : "false";
    return {};
  }

 private:
  Result<> array(const Array& array) {
    out_ += '[';
    for (const auto& element : array) {
      if (&element != array.data()) out_ += ',';
      TRY(value(element));
    }
    out_ += ']';
    return {};
  }

  Result<> object(const Object& object) {
    std::vector<const Object::Member*> members;
    for (const auto& member : object) members.push_back(&member);
    std::sort(members.begin(), members.end(), utf16_less);
    out_ += '{';
    for (const auto* member : members) {
      if (member != members.front()) out_ += ',';
      TRY(string(member->first));
      out_ += ':';
      TRY(value(member->second));
    }
    out_ += '}';
    return {};
  }

  Result<> string(const std::string& text) {
    if (codec::detail::find_invalid_utf8(text))
      return fail(JsonError::bad_utf8, "a string to canonicalize is no UTF-8");
    detail::append_string(out_, text);
    return {};
  }

  Result<> number(const Value& value) {
    const auto integer = value.if_int64();
    if (value.is_integer() && (!integer || *integer > largest_exact || *integer < -largest_exact)) {
      return fail(JsonError::number_range, "an integer beyond 2^53 has no exact canonical JSON");
    }
    const auto number = value.if_double().value_or(NAN);
    if (!std::isfinite(number)) return fail(JsonError::number_range, "nan and infinities have no canonical JSON");
    out_ += detail::ecmascript_number(number);
    return {};
  }

  std::string out_;
};

}  // namespace

std::string detail::ecmascript_number(double number) {
  if (number == 0) return "0";  // also for minus zero
  if (number < 0) return "-" + ecmascript_number(-number);
  const auto [digits, n] = shortest_decimal(number);
  const int k = static_cast<int>(digits.size());
  if (k <= n && n <= 21) return digits + std::string(static_cast<std::size_t>(n - k), '0');
  if (0 < n && n <= 21) return digits.substr(0, n) + "." + digits.substr(n);
  if (-6 < n && n <= 0) return "0." + std::string(static_cast<std::size_t>(-n), '0') + digits;
  const auto exponent = (n > 0 ? "e+" : "e-") + std::to_string(std::abs(n - 1));
  return k == 1 ? digits + exponent : digits.substr(0, 1) + "." + digits.substr(1) + exponent;
}

Result<std::string> canonicalize(const Value& value) {
  Canonicalizer canonicalizer;
  TRY(canonicalizer.value(value));
  return canonicalizer.take();
}

}  // namespace coffer::codec::json

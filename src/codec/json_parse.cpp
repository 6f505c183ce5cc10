// A parser of RFC 8259 texts in one pass. Nothing is copied twice: numbers and strings are read where they stand, and
// arrays and objects get the memory that they need. json_fuzz.cpp compares it with Boost.JSON's.
#include <algorithm>
#include <charconv>

#include "codec/detail/json_scan.h"
#include "codec/detail/utf8.h"
#include "codec/json.h"

namespace coffer::codec::json {

using namespace detail::json_scan;

namespace {

struct ArrayPlace {
  Array& array;
  template <class T>
  void operator()(T&& value) const {
    array.emplace_back(std::forward<T>(value));
  }
};

// Each function reads from `at_` on and stands behind what it read, or returns false with error_ set. Values go to
// where a `Place` puts them: into the root, an array, or behind a key.
class Parser {
 public:
  Parser(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  Result<Value> run() {
    Value root;
    const auto place = [&root](auto&& value) { root = Value{std::forward<decltype(value)>(value)}; };
    skip_space();
    if (!value(place, 0)) return fail(std::move(error_));
    skip_space();
    if (at_ == text_.size()) return root;
    stop(JsonError::syntax, "there is more text after the end of the value");
    return fail(std::move(error_));
  }

 private:
  bool stop(Error error) {
    error.message.insert(0, place_of(text_, at_));
    error_ = std::move(error);
    return false;
  }
  bool stop(JsonError code, std::string message) { return stop(Error{code, std::move(message)}); }
  bool expected(std::string_view what) {
    if (at_ == text_.size()) return stop(JsonError::syntax, "the text ends too early");
    return stop(JsonError::syntax, "this is no JSON (expected " + std::string{what} + ")");
  }

  bool has(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    if (!has(c)) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }
  bool count() {
    if (++values_ <= limits_.max_values) return true;
    return stop(JsonError::too_large, "the text has more than " + std::to_string(limits_.max_values) + " values");
  }

  template <class Place>
  bool value(const Place& place, std::size_t depth) {
    if (at_ == text_.size()) return expected("a value");
    if (!count()) return false;
    switch (text_[at_]) {
      case '{': return object(place, depth + 1);
      case '[': return array(place, depth + 1);
      case '"': return text_value(place);
      case 't': return literal("true", true, place);
      case 'f': return literal("false", false, place);
      case 'n': return literal("null", nullptr, place);
      default: return number(place);
    }
  }

  bool open(std::size_t depth) {
    if (depth <= limits_.max_depth) {
      ++at_;
      skip_space();
      return true;
    }
    return stop(JsonError::too_deep, "the nesting is deeper than " + std::to_string(limits_.max_depth));
  }

  template <class Place>
  bool array(const Place& place, std::size_t depth) {
    if (!open(depth)) return false;
    Array out;
    if (at_ < text_.size() && is_digit(text_[at_])) {
      out.reserve(std::min(count_numbers(text_.substr(at_)), limits_.max_values - values_));
    }
    for (bool first = true; !take(']'); first = false) {
      if (!first && !take(',')) return expected("a comma or the end of the array");
      if (!first) skip_space();
      if (!value(ArrayPlace{out}, depth)) return false;
      skip_space();
    }
    place(std::move(out));
    return true;
  }

  template <class Place>
  bool object(const Place& place, std::size_t depth) {
    if (!open(depth)) return false;
    Object out;
    for (bool first = true; !take('}'); first = false) {
      if (!first && !take(',')) return expected("a comma or the end of the object");
      if (!first) skip_space();
      if (!member(out, depth)) return false;
      skip_space();
    }
    if (const auto key = find_duplicate(out)) {
      --at_;
      return stop(JsonError::duplicate_key, "the object that ends here has the key \"" + excerpt(*key) + "\" twice");
    }
    place(std::move(out));
    return true;
  }

  bool member(Object& object, std::size_t depth) {
    std::string key;
    if (!has('"')) return expected("a key");
    if (!string(key)) return false;
    skip_space();
    if (!take(':')) return expected("a colon");
    skip_space();
    return value([&](auto&& value) { object.append(std::move(key), std::forward<decltype(value)>(value)); }, depth);
  }

  template <class Literal, class Place>
  bool literal(std::string_view word, Literal meaning, const Place& place) {
    if (!text_.substr(at_).starts_with(word)) return expected("a value");
    at_ += word.size();
    place(meaning);
    return true;
  }

  template <class Place>
  bool text_value(const Place& place) {
    std::string out;
    if (!string(out)) return false;
    place(std::move(out));
    return true;
  }

  bool string(std::string& out) {
    ++at_;
    while (true) {
      const auto size = plain_prefix_size(text_.substr(at_));
      out.append(text_, at_, size);
      at_ += size;
      if (take('"')) return true;
      if (!has('\\')) return expected("no control character in a string");
      if (!escape(out)) return false;
    }
  }

  bool escape(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const auto begin = at_++;
    if (at_ == text_.size()) return expected("an escape");
    if (take('u')) return unicode_escape(out, begin);
    const auto letter = letters.find(text_[at_]);
    if (letter == std::string_view::npos) return expected("an escape");
    out += meanings[letter];
    ++at_;
    return true;
  }

  // RFC 8259 section 7: characters beyond the basic plane come as two surrogates; one alone is no character.
  bool unicode_escape(std::string& out, std::size_t begin) {
    const auto lone = [&] {
      at_ = begin;
      return stop(JsonError::syntax, "this is no JSON (a surrogate that stands alone)");
    };
    std::uint32_t first = 0;
    if (!four_hex_digits(first)) return false;
    if (first < 0xd800 || first > 0xdfff) {
      append_utf8(out, first);
      return true;
    }
    std::uint32_t second = 0;
    if (first > 0xdbff || !text_.substr(at_).starts_with("\\u")) return lone();
    at_ += 2;
    if (!four_hex_digits(second)) return false;
    if (second < 0xdc00 || second > 0xdfff) return lone();
    append_utf8(out, 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
    return true;
  }

  bool four_hex_digits(std::uint32_t& out) {
    const auto digits = text_.substr(at_, 4);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
    at_ += static_cast<std::size_t>(parsed.ptr - digits.data());
    return parsed.ptr == digits.data() + 4 ? true : expected("four hexadecimal digits");
  }

  bool digits() {
    const auto begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > begin;
  }

  // RFC 8259 section 6.
  template <class Place>
  bool number(const Place& place) {
    constexpr std::size_t always_fits = 18;  // decimal digits in 63 bits
    const auto begin = at_;
    const bool negative = take('-');
    const auto first = at_;
    if (!take('0') && !digits()) return expected(negative ? "a digit" : "a value");
    const auto end = at_;
    if (take('.') && !digits()) return expected("a digit");
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return expected("a digit");
    }
    if (at_ == end && end - first <= always_fits) {
      std::int64_t out = 0;
      for (auto i = first; i < end; ++i) out = out * 10 + (text_[i] - '0');
      place(negative ? -out : out);
      return true;
    }
    auto parsed = parse_number(text_.substr(begin, at_ - begin));
    if (!parsed) return stop(std::move(parsed).error());
    place(*std::move(parsed));
    return true;
  }

  const std::string_view text_;
  const Limits& limits_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
  Error error_{JsonError::syntax, ""};  // set where value() is false
};

}  // namespace

Result<Value> parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.max_size) {
    return fail(JsonError::too_large, "the JSON text has " + std::to_string(text.size()) + " bytes, more than the " +
                                          std::to_string(limits.max_size) + " allowed");
  }
  if (const auto offset = detail::find_invalid_utf8(text)) {
    return fail(JsonError::bad_utf8, place_of(text, *offset) + "a byte that is no UTF-8");
  }
  return Parser{text, limits}.run();
}

}  // namespace coffer::codec::json

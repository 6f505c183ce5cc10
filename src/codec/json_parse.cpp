// Boost.JSON's event parser drives a builder of ours. Its own conversion of numbers is not used: it rounds wrongly and
// turns overflow into infinity, so that every number is read again from its text.
#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>

#include "codec/detail/utf8.h"
#include "codec/json.h"

namespace coffer::codec::json {
namespace {

using BoostError = boost::json::error_code;
using Text = boost::json::string_view;

std::string_view to_std(Text text) {
  return {text.data(), text.size()};
}

// For error texts: enough to recognise a key or number by, never a whole document.
std::string excerpt(std::string_view text) {
  constexpr std::size_t most = 40;
  return text.size() <= most ? std::string{text} : std::string{text.substr(0, most)} + "...";
}

// Objects are mostly so small that comparing all pairs of keys is faster than sorting them.
constexpr std::size_t small_object = 16;

std::optional<std::string_view> find_duplicate_among_few(const Object& object) {
  for (const auto* member = object.begin(); member != object.end(); ++member) {
    const auto same = [&](const Object::Member& other) { return other.first == member->first; };
    if (std::any_of(object.begin(), member, same)) return member->first;
  }
  return std::nullopt;
}

// A key that stands twice among the members of one object.
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

// Receives the events and builds the value. After an event that returned false, failure() says why.
class Builder {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  explicit Builder(const Limits& limits) : limits_(limits) {}

  const std::optional<Error>& failure() const { return failure_; }
  Value take() { return std::move(root_); }

  bool on_document_begin(BoostError&) { return true; }
  bool on_document_end(BoostError&) { return true; }
  bool on_object_begin(BoostError& ec) { return open(Object{}, ec); }
  bool on_array_begin(BoostError& ec) { return open(Array{}, ec); }
  bool on_array_end(std::size_t, BoostError&) { return close(); }
  bool on_object_end(std::size_t, BoostError& ec) {
    if (const auto key = find_duplicate(*open_.back().value.if_object())) {
      return stop(JsonError::duplicate_key, "the object that ends here has the key \"" + excerpt(*key) + "\" twice",
                  ec);
    }
    return close();
  }

  bool on_key_part(Text part, std::size_t, BoostError&) { return collect(part); }
  bool on_key(Text part, std::size_t, BoostError&) {
    open_.back().key = take_text(part);
    return true;
  }
  bool on_string_part(Text part, std::size_t, BoostError&) { return collect(part); }
  bool on_string(Text part, std::size_t, BoostError& ec) { return add(take_text(part), ec); }

  bool on_number_part(Text part, BoostError&) { return collect(part); }
  bool on_int64(std::int64_t, Text part, BoostError& ec) { return number(part, ec); }
  bool on_uint64(std::uint64_t, Text part, BoostError& ec) { return number(part, ec); }
  bool on_double(double, Text part, BoostError& ec) { return number(part, ec); }
  bool on_bool(bool value, BoostError& ec) { return add(value, ec); }
  bool on_null(BoostError& ec) { return add(nullptr, ec); }
  bool on_comment_part(Text, BoostError&) { return true; }
  bool on_comment(Text, BoostError&) { return true; }

 private:
  struct Open {  // an array or object whose end has not come
    Value value;
    std::string key;  // of the member that comes next
  };

  bool collect(Text part) {
    text_ += to_std(part);
    return true;
  }

  // The whole text, whose last part this is.
  std::string take_text(Text part) {
    if (text_.empty()) return std::string{to_std(part)};
    collect(part);
    auto text = std::move(text_);
    text_.clear();
    return text;
  }

  bool number(Text part, BoostError& ec) {
    collect(part);
    auto value = parse_number(text_);
    text_.clear();
    if (!value) return stop(value.error(), ec);
    return add(*std::move(value), ec);
  }

  bool open(Value container, BoostError& ec) {
    if (!count(ec)) return false;
    open_.push_back({std::move(container), {}});
    return true;
  }

  bool close() {
    auto value = std::move(open_.back().value);
    open_.pop_back();
    place(std::move(value));
    return true;
  }

  bool add(Value value, BoostError& ec) {
    if (!count(ec)) return false;
    place(std::move(value));
    return true;
  }

  void place(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* array = open_.back().value.if_array()) {
      array->push_back(std::move(value));
    } else {
      open_.back().value.if_object()->append(std::move(open_.back().key), std::move(value));
    }
  }

  bool count(BoostError& ec) {
    if (++values_ <= limits_.max_values) return true;
    return stop(JsonError::too_large, "the text has more than " + std::to_string(limits_.max_values) + " values", ec);
  }

  bool stop(JsonError code, std::string message, BoostError& ec) { return stop(Error{code, std::move(message)}, ec); }
  bool stop(Error error, BoostError& ec) {
    failure_ = std::move(error);
    ec = boost::json::error::exception;  // any error that the parser never makes itself
    return false;
  }

  const Limits& limits_;
  Value root_;
  std::vector<Open> open_;
  std::string text_;
  std::size_t values_ = 0;
  std::optional<Error> failure_;
};

// "line 3, column 7: ", both from 1; columns count bytes.
std::string place_of(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return "line " + std::to_string(line) + ", column " + std::to_string(offset - line_start + 1) + ": ";
}

Error parser_error(const BoostError& ec, const Builder& builder, const Limits& limits) {
  if (const auto& failure = builder.failure()) return *failure;
  if (ec == boost::json::error::too_deep) {
    return {JsonError::too_deep, "the nesting is deeper than " + std::to_string(limits.max_depth)};
  }
  if (ec == boost::json::error::exponent_overflow) {
    return {JsonError::number_range, "the exponent of a number is beyond what a double can hold"};
  }
  if (ec == boost::json::error::incomplete) return {JsonError::syntax, "the text ends too early"};
  return {JsonError::syntax, "this is no JSON (" + ec.message() + ")"};
}

}  // namespace

Result<Value> parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.max_size) {
    return fail(JsonError::too_large, "the JSON text has " + std::to_string(text.size()) + " bytes, more than the " +
                                          std::to_string(limits.max_size) + " allowed");
  }
  if (const auto offset = detail::find_invalid_utf8(text)) {
    return fail(JsonError::bad_utf8, place_of(text, *offset) + "a byte that is no UTF-8");
  }
  boost::json::parse_options options;
  options.max_depth = limits.max_depth;
  options.allow_invalid_utf8 = true;  // checked above
  boost::json::basic_parser<Builder> parser(options, limits);
  BoostError ec;
  const auto consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (ec) {
    auto error = parser_error(ec, parser.handler(), limits);
    error.message.insert(0, place_of(text, consumed));
    return fail(std::move(error));
  }
  if (consumed != text.size()) {
    return fail(JsonError::syntax, place_of(text, consumed) + "there is more text after the end of the value");
  }
  return parser.handler().take();
}

}  // namespace coffer::codec::json

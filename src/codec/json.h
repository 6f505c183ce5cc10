// JSON (RFC 8259) with what a security product needs of it: duplicate keys and lone surrogates are errors, depth and
// size are bounded, integers keep all 64 bits, members keep their order.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace coffer::codec::json {

enum class JsonError { syntax, duplicate_key, too_deep, too_large, number_range, bad_utf8, wrong_type, missing_member };
std::string_view code_name(JsonError code);

class Value;
using Array = std::vector<Value>;

// Members in the order they were written. Look-ups are linear; objects here are small.
class Object {
 public:
  using Member = std::pair<std::string, Value>;
  Object();
  Object(std::initializer_list<Member> members);
  ~Object();
  Object(const Object&);
  Object(Object&&) noexcept;
  Object& operator=(const Object&);
  Object& operator=(Object&&) noexcept;

  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  // Replaces or appends.
  Value& set(std::string_view key, Value value);
  // Appends without a look-up: for builders that know the key to be new.
  Value& append(std::string key, Value value);
  bool erase(std::string_view key);

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  const Member* begin() const;
  const Member* end() const;
  Member* begin();
  Member* end();

  friend bool operator==(const Object& a, const Object& b);  // order does not matter

 private:
  std::vector<Member> members_;
};

// Integers are std::int64_t where they fit, std::uint64_t above that, double otherwise ("1.0" is a double).
class Value {
 public:
  Value() = default;  // null
  Value(std::nullptr_t) {}
  Value(bool v) : data_(v) {}
  template <std::signed_integral T>
  Value(T v) : data_(static_cast<std::int64_t>(v)) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Value(T v) {
    set_unsigned(v);
  }
  Value(double v) : data_(v) {}
  Value(std::string v) : data_(std::move(v)) {}
  Value(std::string_view v) : data_(std::string{v}) {}
  Value(const char* v) : data_(std::string{v}) {}
  Value(Array v) : data_(std::move(v)) {}
  Value(Object v) : data_(std::move(v)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const;  // int64 or uint64
  bool is_number() const;
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }

  // Pointers, null where the type differs.
  const bool* if_bool() const { return std::get_if<bool>(&data_); }
  const std::string* if_string() const { return std::get_if<std::string>(&data_); }
  const Array* if_array() const { return std::get_if<Array>(&data_); }
  Array* if_array() { return std::get_if<Array>(&data_); }
  const Object* if_object() const { return std::get_if<Object>(&data_); }
  Object* if_object() { return std::get_if<Object>(&data_); }
  std::optional<std::int64_t> if_int64() const;  // integers that fit; never a double
  std::optional<std::uint64_t> if_uint64() const;
  std::optional<double> if_double() const;  // any number, possibly rounded

  // Results, whose error names the path given in `what` ("challenge.nonce").
  Result<bool> as_bool(std::string_view what) const;
  Result<std::int64_t> as_int64(std::string_view what) const;
  Result<std::uint64_t> as_uint64(std::string_view what) const;
  Result<std::string_view> as_string(std::string_view what) const;
  Result<const Array*> as_array(std::string_view what) const;
  Result<const Object*> as_object(std::string_view what) const;

  // The member of an object, or null where this is no object or has none.
  const Value* find(std::string_view key) const;
  // RFC 6901, "/submods/cpu0/ear.status"; null where it leads nowhere.
  const Value* at_pointer(std::string_view pointer) const;

  std::string_view type_name() const;  // "null", "boolean", "number", "string", "array", "object"

  friend bool operator==(const Value& a, const Value& b);

 private:
  void set_unsigned(std::uint64_t v);
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object> data_;
};

// A required member: missing_member or wrong_type, with the path `what` + "." + key in the text.
Result<std::string_view> string_member(const Object& object, std::string_view key, std::string_view what);
Result<const Object*> object_member(const Object& object, std::string_view key, std::string_view what);
Result<const Array*> array_member(const Object& object, std::string_view key, std::string_view what);
// Nothing where absent or null; wrong_type where it is something else.
Result<std::optional<std::string>> optional_string_member(const Object& object, std::string_view key,
                                                          std::string_view what);

struct Limits {
  std::size_t max_size = 8U << 20;  // bytes of text
  std::size_t max_depth = 64;
  std::size_t max_values = 1U << 20;  // values of any kind
};

// Errors begin with the place, "line 3, column 7: ". Numbers beyond the range of a double are number_range.
Result<Value> parse(std::string_view text, const Limits& limits = {});
// Compact, members in their order, shortest round-trip numbers (doubles keep a point or an exponent, those that JSON
// lacks become null). Bytes of a string that are no UTF-8 become U+FFFD.
std::string serialize(const Value& value);
// Two spaces an indent, for people.
std::string serialize_pretty(const Value& value);

// RFC 8785 (JCS): members sorted by UTF-16 code units, ECMAScript numbers. number_range for integers beyond 2^53,
// which the format cannot carry exactly, and for nan and infinities; bad_utf8 for a string that is no UTF-8.
Result<std::string> canonicalize(const Value& value);

}  // namespace coffer::codec::json

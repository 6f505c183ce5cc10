// CBOR (RFC 8949), decoded through libcbor's stream decoder into a bounded tree, encoded in the core deterministic
// form (section 4.2). Duplicate keys, trailing bytes and depth over the limit are errors.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace coffer::codec::cbor {

enum class CborError { syntax, truncated, trailing_bytes, duplicate_key, too_deep, too_large };
std::string_view code_name(CborError code);

class Value;
using Array = std::vector<Value>;
using Map = std::vector<std::pair<Value, Value>>;

struct Negative {  // -1 - n
  std::uint64_t n;
  friend bool operator==(const Negative&, const Negative&) = default;
};
struct Simple {  // simple values other than false, true, null, undefined
  std::uint8_t number;
  friend bool operator==(const Simple&, const Simple&) = default;
};
struct Undefined {
  friend bool operator==(const Undefined&, const Undefined&) = default;
};
struct Tagged;

class Value {
 public:
  using Data = std::variant<std::monostate, bool, Undefined, Simple, std::uint64_t, Negative, double, Bytes,
                            std::string, Array, Map, std::shared_ptr<const Tagged>>;
  Value() = default;  // null
  Value(bool v) : data_(v) {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Value(T v) {
    set_integer(v < 0,
                v < 0 ? static_cast<std::uint64_t>(-1 - static_cast<std::int64_t>(v)) : static_cast<std::uint64_t>(v));
  }
  Value(double v) : data_(v) {}
  Value(Bytes v) : data_(std::move(v)) {}
  Value(std::string v) : data_(std::move(v)) {}
  Value(const char* v) : data_(std::string{v}) {}
  Value(Array v) : data_(std::move(v)) {}
  Value(Map v) : data_(std::move(v)) {}
  static Value negative(std::uint64_t n) {
    Value v;
    v.data_ = Negative{n};
    return v;
  }
  static Value tagged(std::uint64_t tag, Value content);
  static Value from(Data data) {
    Value v;
    v.data_ = std::move(data);
    return v;
  }

  const Data& data() const { return data_; }
  std::optional<std::int64_t> if_int64() const;
  std::optional<std::uint64_t> if_uint64() const;
  const Bytes* if_bytes() const { return std::get_if<Bytes>(&data_); }
  const std::string* if_text() const { return std::get_if<std::string>(&data_); }
  const Array* if_array() const { return std::get_if<Array>(&data_); }
  const Map* if_map() const { return std::get_if<Map>(&data_); }
  const Tagged* if_tagged() const;
  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }

  // The value under an integer or text key of a map; null where there is none.
  const Value* find(std::int64_t key) const;
  const Value* find(std::string_view key) const;

  friend bool operator==(const Value& a, const Value& b);

 private:
  void set_integer(bool negative, std::uint64_t n);
  Data data_;
};

struct Tagged {
  std::uint64_t tag;
  Value content;
};

struct Limits {
  std::size_t max_size = 1U << 20;
  std::size_t max_depth = 16;
  std::size_t max_items = 1U << 16;
};

// Definite and indefinite lengths, any width of integers and floats. Tags count towards the depth.
Result<Value> parse(ByteView data, const Limits& limits = {});
// Core deterministic: shortest heads and floats, definite lengths, map entries in the bytewise order of their keys.
Bytes encode(const Value& value);

}  // namespace coffer::codec::cbor

#include "codec/json.h"

#include <algorithm>
#include <charconv>

namespace coffer::codec::json {
namespace {

std::unexpected<Error> wrong_type(std::string_view what, std::string_view expected, const Value& found) {
  return fail(JsonError::wrong_type,
              std::string{what} + " must be " + std::string{expected} + ", and is " + std::string{found.type_name()});
}

std::string member_path(std::string_view what, std::string_view key) {
  return what.empty() ? std::string{key} : std::string{what} + "." + std::string{key};
}

Result<const Value*> required_member(const Object& object, std::string_view key, std::string_view what) {
  if (const auto* value = object.find(key)) return value;
  return fail(JsonError::missing_member, member_path(what, key) + " is missing");
}

// One reference token of a JSON pointer with ~1 and ~0 undone (RFC 6901 section 4); nothing for another escape.
std::optional<std::string> unescape_token(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      out += token[i];
      continue;
    }
    ++i;
    if (i == token.size() || (token[i] != '0' && token[i] != '1')) return std::nullopt;
    out += token[i] == '0' ? '~' : '/';
  }
  return out;
}

const Value* array_element(const Array& array, std::string_view token) {
  if (token.empty() || (token.size() > 1 && token.front() == '0')) return nullptr;
  std::size_t index = 0;
  const auto* end = token.data() + token.size();
  const auto parsed = std::from_chars(token.data(), end, index);
  if (parsed.ec != std::errc{} || parsed.ptr != end || index >= array.size()) return nullptr;
  return &array[index];
}

const Value* child(const Value& value, std::string_view raw_token) {
  const auto token = unescape_token(raw_token);
  if (!token) return nullptr;
  if (const auto* array = value.if_array()) return array_element(*array, *token);
  return value.find(*token);
}

}  // namespace

std::string_view code_name(JsonError code) {
  switch (code) {
    case JsonError::syntax: return "json.syntax";
    case JsonError::duplicate_key: return "json.duplicate_key";
    case JsonError::too_deep: return "json.too_deep";
    case JsonError::too_large: return "json.too_large";
    case JsonError::number_range: return "json.number_range";
    case JsonError::bad_utf8: return "json.bad_utf8";
    case JsonError::wrong_type: return "json.wrong_type";
    case JsonError::missing_member: return "json.missing_member";
  }
  return "json.unknown";
}

void Value::set_unsigned(std::uint64_t v) {
  if (std::in_range<std::int64_t>(v)) {
    data_ = static_cast<std::int64_t>(v);
  } else {
    data_ = v;
  }
}

bool Value::is_integer() const {
  return std::holds_alternative<std::int64_t>(data_) || std::holds_alternative<std::uint64_t>(data_);
}

bool Value::is_number() const {
  return is_integer() || std::holds_alternative<double>(data_);
}

std::optional<std::int64_t> Value::if_int64() const {
  if (const auto* v = std::get_if<std::int64_t>(&data_)) return *v;
  return std::nullopt;
}

std::optional<std::uint64_t> Value::if_uint64() const {
  if (const auto* v = std::get_if<std::uint64_t>(&data_)) return *v;
  if (const auto* v = std::get_if<std::int64_t>(&data_); v != nullptr && *v >= 0) return static_cast<std::uint64_t>(*v);
  return std::nullopt;
}

std::optional<double> Value::if_double() const {
  if (const auto* v = std::get_if<double>(&data_)) return *v;
  if (const auto* v = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*v);
  if (const auto* v = std::get_if<std::uint64_t>(&data_)) return static_cast<double>(*v);
  return std::nullopt;
}

Result<bool> Value::as_bool(std::string_view what) const {
  if (const auto* v = if_bool()) return *v;
  return wrong_type(what, "a boolean", *this);
}

Result<std::int64_t> Value::as_int64(std::string_view what) const {
  if (const auto v = if_int64()) return *v;
  return wrong_type(what, "an integer of 64 bits", *this);
}

Result<std::uint64_t> Value::as_uint64(std::string_view what) const {
  if (const auto v = if_uint64()) return *v;
  return wrong_type(what, "an integer of 64 bits, not negative", *this);
}

Result<std::string_view> Value::as_string(std::string_view what) const {
  if (const auto* v = if_string()) return std::string_view{*v};
  return wrong_type(what, "a string", *this);
}

Result<const Array*> Value::as_array(std::string_view what) const {
  if (const auto* v = if_array()) return v;
  return wrong_type(what, "an array", *this);
}

Result<const Object*> Value::as_object(std::string_view what) const {
  if (const auto* v = if_object()) return v;
  return wrong_type(what, "an object", *this);
}

const Value* Value::find(std::string_view key) const {
  const auto* object = if_object();
  return object == nullptr ? nullptr : object->find(key);
}

const Value* Value::at_pointer(std::string_view pointer) const {
  const Value* current = this;
  while (current != nullptr && !pointer.empty()) {
    if (pointer.front() != '/') return nullptr;
    pointer.remove_prefix(1);
    const auto token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    current = child(*current, token);
  }
  return current;
}

std::string_view Value::type_name() const {
  if (is_null()) return "null";
  if (is_bool()) return "boolean";
  if (is_number()) return "number";
  if (is_string()) return "string";
  return is_array() ? "array" : "object";
}

bool operator==(const Value& a, const Value& b) {
  return a.data_ == b.data_;
}

Result<std::string_view> string_member(const Object& object, std::string_view key, std::string_view what) {
  const auto* value = TRY(required_member(object, key, what));
  return value->as_string(member_path(what, key));
}

Result<const Object*> object_member(const Object& object, std::string_view key, std::string_view what) {
  const auto* value = TRY(required_member(object, key, what));
  return value->as_object(member_path(what, key));
}

Result<const Array*> array_member(const Object& object, std::string_view key, std::string_view what) {
  const auto* value = TRY(required_member(object, key, what));
  return value->as_array(member_path(what, key));
}

Result<std::optional<std::string>> optional_string_member(const Object& object, std::string_view key,
                                                          std::string_view what) {
  const auto* value = object.find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return std::string {
    TRY(value->as_string(member_path(what, key)))
  };
}

}  // namespace coffer::codec::json

#include "fleet/detail/members.h"

#include <algorithm>
#include <cmath>

#include "base/printable.h"
#include "codec/base64.h"

namespace coffer::fleet::detail {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

std::optional<std::uint64_t> as_count(const Value& value) {
  if (const auto exact = value.if_uint64()) return exact;
  const auto rounded = value.if_double();
  if (!rounded || value.is_integer() || *rounded < 0 || *rounded >= 0x1p63) return std::nullopt;
  return static_cast<std::uint64_t>(*rounded);
}

}  // namespace

Result<Object> parse_object(std::string_view payload) {
  auto value = codec::json::parse(payload, {.max_size = max_payload, .max_depth = max_depth, .max_values = max_values});
  if (!value) return fail(FleetError::bad_payload, "expected a message in JSON: " + value.error().message);
  if (!value->is_object())
    return fail(FleetError::bad_payload,
                "expected a message that is an object, found " + std::string{value->type_name()});
  return std::move(*value->if_object());
}

std::string Members::path(std::string_view key) const {
  return std::string{what_} + "." + std::string{key};
}

Error Members::bad(std::string_view key, std::string_view expected, const Value& found) const {
  std::string text = path(key) + ": expected " + std::string{expected} + ", found " + std::string{found.type_name()};
  if (found.is_number() || found.is_bool()) text += " " + codec::json::serialize(found);
  if (found.is_string()) text += " \"" + printable(*found.if_string(), 64) + "\"";
  return Error{FleetError::bad_member, std::move(text)};
}

const Value* Members::find(std::string_view key) const {
  const Value* value = object_.find(key);
  return value != nullptr && value->is_null() ? nullptr : value;
}

Result<std::string> Members::identifier(std::string_view key) const {
  auto text = TRY(optional_identifier(key));
  if (text.empty()) return fail(FleetError::missing_member, path(key) + ": expected text, found none");
  return text;
}

Result<std::string> Members::bounded(std::string_view key, std::size_t limit, bool one_line) const {
  const Value* value = find(key);
  if (value == nullptr) return std::string{};
  const auto* text = value->if_string();
  if (text == nullptr) return fail(bad(key, "text", *value));
  if (text->size() > limit)
    return fail(FleetError::bad_member, path(key) + ": expected at most " + std::to_string(limit) + " bytes, found " +
                                            std::to_string(text->size()));
  if (one_line && std::ranges::any_of(*text, is_control))
    return fail(bad(key, "text without control characters", *value));
  return *text;
}

std::string Members::hint(std::string_view key) const {
  const auto* value = find(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr || text->size() > max_identifier ? std::string{} : *text;
}

Result<bool> Members::flag(std::string_view key, bool fallback) const {
  const Value* value = find(key);
  if (value == nullptr) return fallback;
  if (const bool* flag = value->if_bool()) return *flag;
  return fail(bad(key, "true or false", *value));
}

Result<std::uint64_t> Members::count(std::string_view key, std::uint64_t fallback) const {
  const auto given = TRY(optional_count(key));
  return given.value_or(fallback);
}

Result<std::optional<std::uint64_t>> Members::optional_count(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::optional<std::uint64_t>{};
  const auto count = as_count(*value);
  if (!count) return fail(bad(key, "a whole number from zero up", *value));
  return count;
}

Result<double> Members::number(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return 0.0;
  const auto number = value->if_double();
  if (!number || !std::isfinite(*number) || *number < 0) return fail(bad(key, "a number from zero up", *value));
  return *number;
}

Result<std::vector<std::string>> Members::texts(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::vector<std::string>{};
  const Array* array = value->if_array();
  if (array == nullptr || array->size() > max_entries) return fail(bad(key, "an array of at most 1024 texts", *value));
  std::vector<std::string> texts;
  texts.reserve(array->size());
  for (const Value& item : *array) {
    const auto* text = item.if_string();
    if (text == nullptr || text->contains('\0')) return fail(bad(key, "text without NUL", item));
    texts.push_back(*text);
  }
  return texts;
}

Result<std::map<std::string, std::string>> Members::text_map(std::string_view key) const {
  const Value* value = find(key);
  std::map<std::string, std::string> texts;
  if (value == nullptr) return texts;
  const Object* object = value->if_object();
  if (object == nullptr || object->size() > max_entries)
    return fail(bad(key, "an object of at most 1024 members", *value));
  for (const auto& [name, item] : *object) {
    const auto* text = item.if_string();
    if (text == nullptr || text->contains('\0')) return fail(bad(key, "text without NUL", item));
    texts.emplace(name, *text);
  }
  return texts;
}

Result<Object> Members::object(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return Object{};
  const Object* object = value->if_object();
  if (object == nullptr) return fail(bad(key, "an object", *value));
  return *object;
}

Result<std::optional<Bytes>> Members::base64(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::optional<Bytes>{};
  const auto* text = value->if_string();
  if (text == nullptr) return fail(bad(key, "base64 text", *value));
  auto bytes = codec::base64_decode(*text);
  if (!bytes) return fail(FleetError::bad_member, path(key) + ": " + bytes.error().message);
  return std::optional<Bytes>{std::move(*bytes)};
}

void append_text(Object& object, std::string_view key, const std::string& text) {
  if (!text.empty()) object.append(std::string{key}, text);
}

Array text_array(const std::vector<std::string>& texts) {
  return Array(texts.begin(), texts.end());
}

Object text_object(const std::map<std::string, std::string>& texts) {
  Object object;
  for (const auto& [name, text] : texts) object.append(name, text);
  return object;
}

}  // namespace coffer::fleet::detail

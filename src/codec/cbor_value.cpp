#include <algorithm>

#include "codec/cbor.h"

namespace coffer::codec::cbor {

std::string_view code_name(CborError code) {
  switch (code) {
    case CborError::syntax: return "cbor.syntax";
    case CborError::truncated: return "cbor.truncated";
    case CborError::trailing_bytes: return "cbor.trailing_bytes";
    case CborError::duplicate_key: return "cbor.duplicate_key";
    case CborError::too_deep: return "cbor.too_deep";
    case CborError::too_large: return "cbor.too_large";
  }
  return "cbor.unknown";
}

Value Value::tagged(std::uint64_t tag, Value content) {
  return from(std::make_shared<const Tagged>(Tagged{tag, std::move(content)}));
}

void Value::set_integer(bool negative, std::uint64_t n) {
  if (negative) {
    data_ = Negative{n};
  } else {
    data_ = n;
  }
}

std::optional<std::int64_t> Value::if_int64() const {
  if (const auto* n = std::get_if<std::uint64_t>(&data_); n != nullptr && std::in_range<std::int64_t>(*n)) {
    return static_cast<std::int64_t>(*n);
  }
  if (const auto* v = std::get_if<Negative>(&data_); v != nullptr && std::in_range<std::int64_t>(v->n)) {
    return -1 - static_cast<std::int64_t>(v->n);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> Value::if_uint64() const {
  if (const auto* n = std::get_if<std::uint64_t>(&data_)) return *n;
  return std::nullopt;
}

const Tagged* Value::if_tagged() const {
  const auto* pointer = std::get_if<std::shared_ptr<const Tagged>>(&data_);
  return pointer == nullptr ? nullptr : pointer->get();
}

const Value* Value::find(std::int64_t key) const {
  const auto* map = if_map();
  if (map == nullptr) return nullptr;
  const auto entry = std::find_if(map->begin(), map->end(), [&](const auto& e) { return e.first.if_int64() == key; });
  return entry == map->end() ? nullptr : &entry->second;
}

const Value* Value::find(std::string_view key) const {
  const auto* map = if_map();
  if (map == nullptr) return nullptr;
  const auto entry = std::find_if(map->begin(), map->end(), [&](const auto& e) {
    const auto* text = e.first.if_text();
    return text != nullptr && *text == key;
  });
  return entry == map->end() ? nullptr : &entry->second;
}

// Maps are equal when their entries are, in the same order; parse and encode both keep or make an order.
bool operator==(const Value& a, const Value& b) {
  const auto* tagged = a.if_tagged();
  if (tagged == nullptr) return a.data_ == b.data_;
  const auto* other = b.if_tagged();
  return other != nullptr && tagged->tag == other->tag && tagged->content == other->content;
}

}  // namespace coffer::codec::cbor

#include "evidence/cbor_fields.h"

namespace coffer::evidence {

namespace cbor = codec::cbor;

namespace {

std::string type_or_nothing(const cbor::Value* value) {
  return value == nullptr ? "nothing" : std::string{type_name(*value)};
}

std::string sizes(SizeBounds bounds, std::string_view unit) {
  if (bounds.least == bounds.most) return std::to_string(bounds.least) + " " + std::string{unit};
  return std::to_string(bounds.least) + " to " + std::to_string(bounds.most) + " " + std::string{unit};
}

bool holds(SizeBounds bounds, std::size_t size) {
  return size >= bounds.least && size <= bounds.most;
}

}  // namespace

bool is_hash_size(std::size_t size) {
  return size == 32 || size == 48 || size == 64;
}

std::string_view type_name(const cbor::Value& value) {
  if (value.if_map() != nullptr) return "a map";
  if (value.if_array() != nullptr) return "an array";
  if (value.if_bytes() != nullptr) return "bytes";
  if (value.if_text() != nullptr) return "text";
  if (value.if_tagged() != nullptr) return "a tag";
  if (value.if_int64() || value.if_uint64()) return "an integer";
  if (value.is_null()) return "null";
  return "a simple value";
}

Result<CborFields> CborFields::open(const cbor::Value& map, ErrorCode code, std::string what) {
  CborFields fields(map, code, std::move(what));
  if (map.if_map() != nullptr) return fields;
  return fail(code, fields.what_ + " is expected to be a map, found " + std::string{type_name(map)});
}

std::unexpected<Error> CborFields::bad(std::string_view name, std::string_view expected, std::string_view found) const {
  return fail(code_, what_ + ": " + std::string{name} + " is expected to be " + std::string{expected} + ", found " +
                         std::string{found});
}

Result<Bytes> CborFields::bytes(const cbor::Value* value, std::string_view name, SizeBounds bounds) const {
  const auto* bytes = value == nullptr ? nullptr : value->if_bytes();
  if (bytes == nullptr) return bad(name, sizes(bounds, "bytes"), type_or_nothing(value));
  if (!holds(bounds, bytes->size())) {
    return bad(name, sizes(bounds, "bytes"), std::to_string(bytes->size()) + " bytes");
  }
  return *bytes;
}

Result<Bytes> CborFields::hash(const cbor::Value* value, std::string_view name) const {
  const auto* bytes = value == nullptr ? nullptr : value->if_bytes();
  if (bytes == nullptr) return bad(name, "32, 48 or 64 bytes", type_or_nothing(value));
  if (!is_hash_size(bytes->size())) {
    return bad(name, "32, 48 or 64 bytes", std::to_string(bytes->size()) + " bytes");
  }
  return *bytes;
}

Result<std::string> CborFields::text(const cbor::Value* value, std::string_view name, SizeBounds bounds) const {
  const auto* text = value == nullptr ? nullptr : value->if_text();
  if (text == nullptr) return bad(name, "text", type_or_nothing(value));
  if (!holds(bounds, text->size())) {
    return bad(name, "text of " + sizes(bounds, "bytes"), std::to_string(text->size()) + " bytes");
  }
  return *text;
}

Result<std::uint64_t> CborFields::number(const cbor::Value* value, std::string_view name, std::uint64_t most) const {
  const auto expected = "an integer from 0 to " + std::to_string(most);
  const auto number = value == nullptr ? std::nullopt : value->if_uint64();
  if (!number) return bad(name, expected, type_or_nothing(value));
  if (*number > most) return bad(name, expected, std::to_string(*number));
  return *number;
}

Result<std::optional<Bytes>> CborFields::optional_bytes(const cbor::Value* value, std::string_view name,
                                                        SizeBounds bounds) const {
  if (value == nullptr) return std::nullopt;
  return TRY(bytes(value, name, bounds));
}

Result<std::optional<std::string>> CborFields::optional_text(const cbor::Value* value, std::string_view name,
                                                             SizeBounds bounds) const {
  if (value == nullptr) return std::nullopt;
  return TRY(text(value, name, bounds));
}

}  // namespace coffer::evidence

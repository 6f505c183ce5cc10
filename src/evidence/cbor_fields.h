// Members of a CBOR map by key, with their types and sizes held: what token formats are made of. Every error carries
// the code of its format and names the member, what was expected and what was found.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/cbor.h"

namespace coffer::evidence {

struct SizeBounds {
  std::size_t least;
  std::size_t most;
};

// 32, 48 or 64 bytes: a measurement or nonce of one of the SHA-2 hashes.
bool is_hash_size(std::size_t size);

class CborFields {
 public:
  // `code` for what does not fit; `what` names the map in the text. The error of open(): no map.
  static Result<CborFields> open(const codec::cbor::Value& map, ErrorCode code, std::string what);

  // Integer or text key; null where absent, or where the member is null (serde writes absent options so).
  const codec::cbor::Value* find(std::int64_t key) const { return present(map_->find(key)); }
  const codec::cbor::Value* find(std::string_view key) const { return present(map_->find(key)); }

  // Required where `value` is null.
  Result<Bytes> bytes(const codec::cbor::Value* value, std::string_view name, SizeBounds bounds) const;
  Result<Bytes> hash(const codec::cbor::Value* value, std::string_view name) const;
  Result<std::string> text(const codec::cbor::Value* value, std::string_view name, SizeBounds bounds) const;
  Result<std::uint64_t> number(const codec::cbor::Value* value, std::string_view name, std::uint64_t most) const;
  // Nothing where `value` is null.
  Result<std::optional<Bytes>> optional_bytes(const codec::cbor::Value* value, std::string_view name,
                                              SizeBounds bounds) const;
  Result<std::optional<std::string>> optional_text(const codec::cbor::Value* value, std::string_view name,
                                                   SizeBounds bounds) const;

  std::unexpected<Error> bad(std::string_view name, std::string_view expected, std::string_view found) const;

 private:
  CborFields(const codec::cbor::Value& map, ErrorCode code, std::string what)
      : map_(&map), code_(code), what_(std::move(what)) {}
  static const codec::cbor::Value* present(const codec::cbor::Value* value) {
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  const codec::cbor::Value* map_;
  ErrorCode code_;
  std::string what_;
};

// "a map", "bytes", "text", "an integer", ...: for errors.
std::string_view type_name(const codec::cbor::Value& value);

}  // namespace coffer::evidence

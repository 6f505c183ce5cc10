#include "evidence/json_bytes.h"

#include "codec/base64.h"

namespace coffer::evidence {

namespace json = codec::json;

namespace {

std::unexpected<Error> bad(std::string_view what, std::string_view expected, std::string_view found) {
  return fail(EvidenceError::malformed,
              std::string{what} + " is expected to be " + std::string{expected} + ", found " + std::string{found});
}

}  // namespace

json::Array integers_of(ByteView bytes) {
  json::Array out;
  out.reserve(bytes.size());
  for (const auto byte : bytes) out.emplace_back(std::to_integer<int>(byte));
  return out;
}

Result<Bytes> bytes_of_integers(const json::Value* value, std::string_view what, std::optional<std::size_t> size,
                                std::size_t most) {
  const auto* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr) {
    return bad(what, "an array of integers", value == nullptr ? "nothing" : std::string{value->type_name()});
  }
  if (size && array->size() != *size) {
    return bad(what, std::to_string(*size) + " bytes", std::to_string(array->size()));
  }
  if (array->size() > most) {
    return bad(what, "at most " + std::to_string(most) + " bytes", std::to_string(array->size()));
  }
  Bytes out;
  out.reserve(array->size());
  for (const auto& each : *array) {
    const auto number = each.if_uint64();
    if (!number || *number > 255) return bad(what, "integers from 0 to 255", json::serialize(each).substr(0, 32));
    out.push_back(static_cast<std::byte>(*number));
  }
  return out;
}

Result<Bytes> base64_member(const json::Object& object, std::string_view key, std::string_view what) {
  const auto text = json::string_member(object, key, what);
  if (!text) return fail(EvidenceError::malformed, text.error().message);
  auto bytes = codec::base64_decode_lenient(*text);
  if (bytes) return bytes;
  return fail(EvidenceError::malformed, std::string{what} + "." + std::string{key} + ": " + bytes.error().message);
}

}  // namespace coffer::evidence

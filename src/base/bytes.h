// Bytes in are ByteView, bytes out are Bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coffer {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes to_bytes(std::string_view text) {
  const auto view = as_bytes(text);
  return {view.begin(), view.end()};
}

inline Bytes to_bytes(ByteView view) {
  return {view.begin(), view.end()};
}

inline std::string to_text(ByteView bytes) {
  return std::string{as_text(bytes)};
}

inline Bytes concat(std::initializer_list<ByteView> parts) {
  Bytes out;
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  out.reserve(size);
  for (const auto part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// For bytes that are not secret. Secrets and MACs are compared with constant_time_equal (base/secret_bytes.h).
inline bool equal(ByteView a, ByteView b) {
  return as_text(a) == as_text(b);
}

}  // namespace coffer

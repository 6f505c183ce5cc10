// Views into the C ABI and buffers out of it, for the .cpp files that call it.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "coffer_native.h"

namespace coffer::native {

inline coffer_view view_of(ByteView bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}
inline coffer_view view_of(std::string_view text) {
  return view_of(as_bytes(text));
}
inline ByteView bytes_of(coffer_view view) {
  return {reinterpret_cast<const std::byte*>(view.data), view.size};
}
inline ByteView bytes_of(const coffer_buffer& buffer) {
  return {reinterpret_cast<const std::byte*>(buffer.data), buffer.size};
}

// An out parameter, released with its owner.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { coffer_buffer_free(buffer_); }

  coffer_buffer* out() { return &buffer_; }
  ByteView bytes() const { return bytes_of(buffer_); }
  std::string text() const { return std::string{as_text(bytes())}; }

 private:
  coffer_buffer buffer_{nullptr, 0, 0};
};

}  // namespace coffer::native

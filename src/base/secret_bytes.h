// Key material and plaintext of keys. Wiped on every path, locked in memory where the system allows, left out of
// core dumps, move-only, not formattable, and compared in constant time.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"

namespace coffer {

// True when both have the same size and content. The time depends on the sizes only.
bool constant_time_equal(ByteView a, ByteView b);

// Overwrites memory in a way that the compiler may not leave out.
void wipe(MutableByteView memory);

class SecretBytes {
 public:
  SecretBytes() = default;
  // `size` zero bytes, to be filled through mutable_expose().
  explicit SecretBytes(std::size_t size);
  // Copies. The caller wipes its own copy; prefer filling in place.
  static SecretBytes copy_of(ByteView source);
  static SecretBytes copy_of(std::string_view source) { return copy_of(as_bytes(source)); }

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  // A copy, asked for by name.
  SecretBytes clone() const { return copy_of(expose()); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The one way to the bytes: search for `expose(` to review every use.
  ByteView expose() const { return {data_, size_}; }
  MutableByteView mutable_expose() { return {data_, size_}; }

  // Keeps the first `size` bytes and wipes the rest. `size` must not exceed size().
  void truncate(std::size_t size);

  friend bool operator==(const SecretBytes& a, const SecretBytes& b) {
    return constant_time_equal(a.expose(), b.expose());
  }

 private:
  void release() noexcept;

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t mapped_ = 0;  // bytes of an own mapping, 0 where the bytes are on the heap
};

}  // namespace coffer

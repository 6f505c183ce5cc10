// AES-256-CTR as a stream, with the 16-byte initial counter block of NIST SP 800-38A. Unauthenticated: only formats
// that bring their own MAC may use it.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "crypto/error.h"

namespace coffer::crypto {

class AesCtr {
 public:
  // key: 32 bytes; counter: 16 bytes.
  static Result<AesCtr> create(ByteView key, ByteView counter);
  AesCtr(AesCtr&&) noexcept;
  AesCtr& operator=(AesCtr&&) noexcept;
  ~AesCtr();

  // Encrypts or decrypts (the same in this mode) from `in` to `out`, which has the same size and may be the same
  // memory.
  void apply(ByteView in, MutableByteView out);

 private:
  struct Impl;
  explicit AesCtr(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::crypto

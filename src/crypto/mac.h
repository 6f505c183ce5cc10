// HMAC (RFC 2104).
#pragma once

#include <memory>

#include "crypto/hash.h"

namespace coffer::crypto {

Bytes hmac(HashAlgorithm algorithm, ByteView key, ByteView data);

class Hmac {
 public:
  Hmac(HashAlgorithm algorithm, ByteView key);
  Hmac(Hmac&&) noexcept;
  Hmac& operator=(Hmac&&) noexcept;
  ~Hmac();

  void update(ByteView data);
  // The tag; afterwards the object starts anew with the same key.
  Bytes finish();
  // The same into `out`, which has digest_size bytes: for outputs that are keys.
  void finish(MutableByteView out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::crypto

// Randomness comes through an interface, so that a test can fix it.
#pragma once

#include "base/bytes.h"
#include "base/secret_bytes.h"

namespace coffer::crypto {

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // Fills all of `out`. Cannot fail: a system without randomness ends the program.
  virtual void fill(MutableByteView out) = 0;

  Bytes bytes(std::size_t size);
  SecretBytes secret(std::size_t size);
};

// OpenSSL's DRBG seeded by the kernel. Safe to use from any thread.
RandomSource& system_random();

}  // namespace coffer::crypto

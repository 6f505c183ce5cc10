// SHA-2 and, where OpenSSL has it, SM3. SHA-1 only where a format demands it (RSA-OAEP of old JWE, TPM banks).
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace coffer::crypto {

enum class HashAlgorithm { sha1, sha256, sha384, sha512, sm3 };

// "sha256", "sha384", ...; parsing ignores case.
std::string_view name_of(HashAlgorithm algorithm);
std::optional<HashAlgorithm> parse_hash_algorithm(std::string_view name);
// In bytes.
std::size_t digest_size(HashAlgorithm algorithm);

Bytes hash(HashAlgorithm algorithm, ByteView data);
inline Bytes sha256(ByteView data) {
  return hash(HashAlgorithm::sha256, data);
}
inline Bytes sha384(ByteView data) {
  return hash(HashAlgorithm::sha384, data);
}

// Incremental hashing.
class Hasher {
 public:
  explicit Hasher(HashAlgorithm algorithm);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(ByteView data);
  // The digest; afterwards the object starts anew with the same algorithm.
  Bytes finish();
  // The same into `out`, which has digest_size bytes: for digests that are secret.
  void finish(MutableByteView out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::crypto

#include "crypto/kdf.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "crypto/mac.h"

namespace coffer::crypto {

Result<SecretBytes> hkdf(HashAlgorithm algorithm, ByteView secret, ByteView salt, ByteView info, std::size_t length) {
  const auto size = digest_size(algorithm);
  // RFC 5869 section 2.3: L <= 255 * HashLen.
  if (length == 0 || length > 255 * size) {
    return fail(CryptoError::bad_parameter,
                "HKDF gives 1 to " + std::to_string(255 * size) + " bytes, not " + std::to_string(length));
  }
  // Section 2.2: an absent salt is HashLen zeros, which HMAC makes of an empty key.
  SecretBytes extracted(size);
  Hmac extract(algorithm, salt);
  extract.update(secret);
  extract.finish(extracted.mutable_expose());

  Hmac expand(algorithm, extracted.expose());
  SecretBytes out(length);
  SecretBytes block(size);
  auto rest = out.mutable_expose();
  for (std::uint8_t counter = 1; !rest.empty(); ++counter) {
    if (counter > 1) expand.update(block.expose());
    expand.update(info);
    const auto counter_byte = std::byte{counter};
    expand.update({&counter_byte, 1});
    expand.finish(block.mutable_expose());
    const auto part = std::min(size, rest.size());
    std::ranges::copy(block.expose().first(part), rest.begin());
    rest = rest.subspan(part);
  }
  return out;
}

Result<SecretBytes> concat_kdf_sha256(ByteView shared_secret, ByteView other_info, std::size_t length) {
  constexpr std::size_t digest = 32;
  constexpr std::size_t max_length = 1024;  // far above any content key; the standard's own bound is not practical
  if (shared_secret.empty() || length == 0 || length > max_length) {
    return fail(CryptoError::bad_parameter,
                "the Concat KDF needs a shared secret and gives 1 to 1024 bytes, not " + std::to_string(length));
  }
  SecretBytes out(length);
  SecretBytes block(digest);
  auto rest = out.mutable_expose();
  Hasher hasher(HashAlgorithm::sha256);
  for (std::uint32_t counter = 1; !rest.empty(); ++counter) {
    hasher.update(ByteWriter().u32_be(counter).take());
    hasher.update(shared_secret);
    hasher.update(other_info);
    hasher.finish(block.mutable_expose());
    const auto part = std::min(digest, rest.size());
    std::ranges::copy(block.expose().first(part), rest.begin());
    rest = rest.subspan(part);
  }
  return out;
}

}  // namespace coffer::crypto

#include "image/ocicrypt/kek.h"

#include <algorithm>

#include "codec/base64.h"

namespace coffer::image::ocicrypt {
namespace {

bool is_space(std::byte b) {
  return b == std::byte{' '} || (b >= std::byte{'\t'} && b <= std::byte{'\r'});
}

ByteView trimmed(ByteView text) {
  while (!text.empty() && is_space(text.front())) text = text.subspan(1);
  while (!text.empty() && is_space(text.back())) text = text.first(text.size() - 1);
  return text;
}

bool is_pem(ByteView text) {
  return as_text(text).find("-----BEGIN ") != std::string_view::npos;
}

}  // namespace

Result<SecretBytes> parse_kek(ByteView stored) {
  // First: 32 bytes are the key, whatever they look like.
  if (stored.size() == kek_size) return SecretBytes::copy_of(stored);
  const auto text = trimmed(stored);
  if (text.empty()) return fail(ImageError::kek_empty, "the key encryption key is empty, and 32 bytes are needed");
  if (is_pem(text)) {
    return fail(ImageError::kek_is_pem,
                "a PEM key lies where a key encryption key of 32 raw bytes is needed; a PEM private key opens JWE "
                "layers, and is given as a decryption key");
  }
  if (text.size() == kek_size * 2) {
    if (auto key = codec::hex_decode_secret(text)) return key;
  }
  if (auto key = codec::base64_decode_secret(text); key && key->size() == kek_size) return key;
  return fail(ImageError::kek_wrong_size,
              "a key encryption key has 32 raw bytes, or base64 or hex text of 32 bytes; this has " +
                  std::to_string(stored.size()) + " bytes");
}

}  // namespace coffer::image::ocicrypt

#include "image/digest.h"

#include <algorithm>

#include "codec/base64.h"

namespace coffer::image {
namespace {

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  if (colon == std::string_view::npos || (name != "sha256" && name != "sha512")) {
    return fail(ImageError::bad_digest,
                "a digest is sha256:<hex> or sha512:<hex>, and this is \"" + std::string{text.substr(0, 100)} + "\"");
  }
  const auto algorithm = name == "sha256" ? crypto::HashAlgorithm::sha256 : crypto::HashAlgorithm::sha512;
  const auto hex = text.substr(colon + 1);
  if (hex.size() != crypto::digest_size(algorithm) * 2 || !is_lower_hex(hex)) {
    return fail(ImageError::bad_digest,
                "a " + std::string{name} + " digest has " + std::to_string(crypto::digest_size(algorithm) * 2) +
                    " lower-case hexadecimal digits, and this has " + std::to_string(hex.size()) + " characters");
  }
  return Digest{algorithm, std::string{text}};
}

Digest Digest::of(ByteView data, crypto::HashAlgorithm algorithm) {
  return from_hash(algorithm, crypto::hash(algorithm, data));
}

Digest Digest::from_hash(crypto::HashAlgorithm algorithm, ByteView hash) {
  return Digest{algorithm, std::string{crypto::name_of(algorithm)} + ":" + codec::hex_encode(hash)};
}

Result<> Digest::verify(ByteView data, std::string_view what) const {
  const auto actual = of(data, algorithm_);
  if (actual == *this) return {};
  return fail(ImageError::digest_mismatch,
              std::string{what} + " should have digest " + text_ + " and has " + actual.text_);
}

}  // namespace coffer::image

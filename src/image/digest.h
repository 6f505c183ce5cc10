// Content digests (OCI image specification, descriptor.md "Digests"): sha256 and sha512.
#pragma once

#include <string>
#include <string_view>

#include "crypto/hash.h"
#include "image/error.h"

namespace coffer::image {

class Digest {
 public:
  // "sha256:<64 lower-case hex>" or "sha512:<128>".
  static Result<Digest> parse(std::string_view text);
  static Digest of(ByteView data, crypto::HashAlgorithm algorithm = crypto::HashAlgorithm::sha256);
  // From a finished hash of the algorithm's size.
  static Digest from_hash(crypto::HashAlgorithm algorithm, ByteView hash);

  crypto::HashAlgorithm algorithm() const { return algorithm_; }
  std::string_view hex() const { return std::string_view{text_}.substr(text_.find(':') + 1); }
  const std::string& text() const { return text_; }
  // digest_mismatch, naming `what`, where `data` is other content.
  Result<> verify(ByteView data, std::string_view what) const;

  friend bool operator==(const Digest& a, const Digest& b) { return a.text_ == b.text_; }
  friend auto operator<=>(const Digest& a, const Digest& b) { return a.text_ <=> b.text_; }

 private:
  Digest(crypto::HashAlgorithm algorithm, std::string text) : algorithm_(algorithm), text_(std::move(text)) {}
  crypto::HashAlgorithm algorithm_;
  std::string text_;
};

}  // namespace coffer::image

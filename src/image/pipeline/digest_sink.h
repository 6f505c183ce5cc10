// Checks what passes against a digest and, where it is known, a size.
#pragma once

#include <optional>

#include "image/digest.h"
#include "image/pipeline/forward.h"

namespace coffer::image {

class DigestSink final : public ByteSink {
 public:
  // `mismatch` is the code of a wrong digest: digest_mismatch of a blob, diff_id_mismatch of an inflated layer.
  DigestSink(const Digest& expected, std::optional<std::uint64_t> size, ImageError mismatch, std::string what,
             ByteSink& next);
  // size_mismatch as soon as a byte is too many.
  Result<> write(ByteView data) override;
  Result<> finish() override;

 private:
  Digest expected_;
  std::optional<std::uint64_t> size_;
  ImageError mismatch_;
  std::string what_;
  crypto::Hasher hasher_;
  std::uint64_t seen_ = 0;
  Forward next_;
};

// Counts and hashes what passes: the digest of something being made.
class MeasureSink final : public ByteSink {
 public:
  explicit MeasureSink(ByteSink& next) : hasher_(crypto::HashAlgorithm::sha256), next_(next) {}
  Result<> write(ByteView data) override;
  Result<> finish() override;

  std::uint64_t size() const { return size_; }
  // After finish().
  const Digest& digest() const { return *digest_; }  // NOLINT(bugprone-unchecked-optional-access)

 private:
  crypto::Hasher hasher_;
  std::uint64_t size_ = 0;
  std::optional<Digest> digest_;
  ByteSink& next_;
};

}  // namespace coffer::image

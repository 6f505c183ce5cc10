#include "image/pipeline/digest_sink.h"

namespace coffer::image {

DigestSink::DigestSink(const Digest& expected, std::optional<std::uint64_t> size, ImageError mismatch, std::string what,
                       ByteSink& next)
    : expected_(expected),
      size_(size),
      mismatch_(mismatch),
      what_(std::move(what)),
      hasher_(expected.algorithm()),
      next_(next) {}

Result<> DigestSink::write(ByteView data) {
  seen_ += data.size();
  if (size_ && seen_ > *size_) {
    return fail(ImageError::size_mismatch, what_ + " should have " + std::to_string(*size_) + " bytes, and has more");
  }
  hasher_.update(data);
  return next_.write(data);
}

Result<> DigestSink::finish() {
  if (size_ && seen_ != *size_) {
    return fail(ImageError::size_mismatch,
                what_ + " should have " + std::to_string(*size_) + " bytes, and has " + std::to_string(seen_));
  }
  const auto actual = Digest::from_hash(expected_.algorithm(), hasher_.finish());
  if (actual != expected_) {
    return fail(mismatch_, what_ + " should have digest " + expected_.text() + " and has " + actual.text());
  }
  return next_.finish();
}

Result<> MeasureSink::write(ByteView data) {
  size_ += data.size();
  hasher_.update(data);
  return next_.write(data);
}

Result<> MeasureSink::finish() {
  digest_ = Digest::from_hash(crypto::HashAlgorithm::sha256, hasher_.finish());
  return next_.finish();
}

}  // namespace coffer::image

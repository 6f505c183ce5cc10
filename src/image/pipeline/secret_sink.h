#pragma once

#include <algorithm>

#include "base/secret_bytes.h"
#include "image/byte_sink.h"

namespace coffer::image {

// Collects exactly so many bytes in locked memory.
class SecretSink final : public ByteSink {
 public:
  explicit SecretSink(std::size_t size) : memory_(size) {}

  Result<> write(ByteView data) override {
    if (data.size() > memory_.size() - used_) {
      return fail(ImageError::size_mismatch,
                  "more than the announced " + std::to_string(memory_.size()) + " bytes arrive");
    }
    std::ranges::copy(data, memory_.mutable_expose().subspan(used_).begin());
    used_ += data.size();
    return {};
  }

  // After finish().
  SecretBytes take() {
    memory_.truncate(used_);
    return std::move(memory_);
  }

 private:
  SecretBytes memory_;
  std::size_t used_ = 0;
};

}  // namespace coffer::image

#include "fleet/proxy/chunk_sender.h"

#include <algorithm>

namespace coffer::fleet::proxy {

ChunkSender::ChunkSender(Chunk first, std::uint64_t size, std::size_t chunk_size, Send send)
    : next_(std::move(first)), size_(size), chunk_size_(chunk_size), send_(std::move(send)) {
  next_.total = std::max<std::uint64_t>((size + chunk_size - 1) / chunk_size, 1);
}

Result<> ChunkSender::write(ByteView data) {
  while (!data.empty()) {
    if (buffer_.size() == chunk_size_) TRY(send_buffer());
    const auto part = data.first(std::min(data.size(), chunk_size_ - buffer_.size()));
    buffer_.insert(buffer_.end(), part.begin(), part.end());
    data = data.subspan(part.size());
    taken_ += part.size();
    if (taken_ > size_)
      return fail(image::ImageError::size_mismatch,
                  "expected a layer of " + std::to_string(size_) + " bytes, found more");
  }
  return {};
}

Result<> ChunkSender::finish() {
  if (taken_ != size_)
    return fail(image::ImageError::size_mismatch,
                "expected a layer of " + std::to_string(size_) + " bytes, found " + std::to_string(taken_));
  return send_buffer();
}

Result<> ChunkSender::send_buffer() {
  next_.index = index_++;
  next_.data = std::move(buffer_);
  buffer_ = Bytes{};
  TRY(send_(next_));
  next_ = Chunk{.app_name = next_.app_name, .index = 0, .total = next_.total};
  return {};
}

}  // namespace coffer::fleet::proxy

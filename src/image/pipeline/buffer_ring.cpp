#include "image/pipeline/buffer_ring.h"

namespace coffer::image {

BufferRing::BufferRing(std::size_t buffers, std::size_t buffer_size) : buffers_(buffers) {
  for (auto& buffer : buffers_) {
    buffer.memory = SecretBytes{buffer_size};
    empty_.push_back(&buffer);
  }
}

Buffer* BufferRing::acquire_empty() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return cancelled_ || !empty_.empty(); });
  if (cancelled_) return nullptr;
  auto* buffer = empty_.front();
  empty_.pop_front();
  buffer->used = 0;
  return buffer;
}

void BufferRing::submit(Buffer* buffer) {
  {
    const std::lock_guard lock{mutex_};
    full_.push_back(buffer);
  }
  changed_.notify_all();
}

void BufferRing::close() {
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }
  changed_.notify_all();
}

Buffer* BufferRing::take_full() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return cancelled_ || closed_ || !full_.empty(); });
  if (cancelled_ || full_.empty()) return nullptr;
  auto* buffer = full_.front();
  full_.pop_front();
  return buffer;
}

void BufferRing::give_back(Buffer* buffer) {
  {
    const std::lock_guard lock{mutex_};
    empty_.push_back(buffer);
  }
  changed_.notify_all();
}

void BufferRing::cancel() {
  {
    const std::lock_guard lock{mutex_};
    cancelled_ = true;
  }
  changed_.notify_all();
}

bool BufferRing::cancelled() const {
  const std::lock_guard lock{mutex_};
  return cancelled_;
}

}  // namespace coffer::image

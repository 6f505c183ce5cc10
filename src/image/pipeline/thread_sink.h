// A thread boundary: what is written here is consumed on a thread of its own, a bounded number of buffers behind.
#pragma once

#include <exception>
#include <functional>
#include <thread>

#include "image/byte_sink.h"
#include "image/pipeline/buffer_ring.h"

namespace coffer::image {

class ThreadSink final : public ByteSink {
 public:
  static constexpr std::size_t buffer_count = 8;
  static constexpr std::size_t buffer_size = 256U << 10;

  // `consumer` reads to the end and gives the verdict that finish() returns. It sees the end only after finish().
  using Consumer = std::function<Result<>(const ChunkSource&)>;
  explicit ThreadSink(Consumer consumer);
  // Passes on to `next`, finish() included.
  explicit ThreadSink(ByteSink& next);
  // Without finish(): cancels and waits.
  ~ThreadSink() override;

  // The consumer's error, soon after it failed; what it threw is thrown here.
  Result<> write(ByteView data) override;
  Result<> finish() override;

 private:
  void run(const Consumer& consumer);
  Result<ByteView> next_chunk();
  Result<> verdict();

  BufferRing ring_;
  Buffer* filling_ = nullptr;  // the producer's
  Buffer* reading_ = nullptr;  // the consumer's
  Result<> result_{};          // the consumer's, read after join
  std::exception_ptr thrown_;  // likewise
  std::thread thread_;
};

}  // namespace coffer::image

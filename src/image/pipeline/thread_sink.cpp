#include "image/pipeline/thread_sink.h"

#include <algorithm>

namespace coffer::image {
namespace {

Result<> pass_on(const ChunkSource& source, ByteSink& next) {
  while (true) {
    const auto chunk = TRY(source());
    if (chunk.empty()) return next.finish();
    TRY(next.write(chunk));
  }
}

}  // namespace

ThreadSink::ThreadSink(Consumer consumer)
    : ring_(buffer_count, buffer_size), thread_([this, consumer = std::move(consumer)] { run(consumer); }) {}

ThreadSink::ThreadSink(ByteSink& next)
    : ThreadSink([&next](const ChunkSource& source) { return pass_on(source, next); }) {}

ThreadSink::~ThreadSink() {
  ring_.cancel();
  if (thread_.joinable()) thread_.join();
}

void ThreadSink::run(const Consumer& consumer) {
  try {
    result_ = consumer([this] { return next_chunk(); });
  } catch (...) {
    thrown_ = std::current_exception();  // out of memory, mostly; leaving the thread it would end the program
  }
  // A consumer that stopped before the end wakes a producer that waits for space.
  ring_.cancel();
}

Result<ByteView> ThreadSink::next_chunk() {
  if (reading_ != nullptr) ring_.give_back(reading_);
  reading_ = ring_.take_full();
  if (reading_ != nullptr) return reading_->content();
  if (ring_.cancelled()) return fail(ImageError::incomplete, "the stream was given up before its end");
  return ByteView{};
}

Result<> ThreadSink::write(ByteView data) {
  while (!data.empty()) {
    if (filling_ == nullptr) filling_ = ring_.acquire_empty();
    if (filling_ == nullptr) return verdict();
    const auto space = filling_->space();
    const auto size = std::min(space.size(), data.size());
    std::ranges::copy(data.first(size), space.begin());
    filling_->used += size;
    data = data.subspan(size);
    if (size == space.size()) {
      ring_.submit(filling_);
      filling_ = nullptr;
    }
  }
  return {};
}

Result<> ThreadSink::finish() {
  if (filling_ != nullptr && filling_->used > 0) ring_.submit(filling_);
  filling_ = nullptr;
  ring_.close();
  return verdict();
}

Result<> ThreadSink::verdict() {
  if (thread_.joinable()) thread_.join();
  if (thrown_) std::rethrow_exception(thrown_);
  return result_;
}

}  // namespace coffer::image

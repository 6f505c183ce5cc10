// A layer as it comes from the registry, cut into chunks and passed on one by one. Holds one chunk at a time. The last
// one waits for finish(), which is called when the layer's size and digest held: nobody completes an image that is not
// the one its manifest names.
#pragma once

#include <functional>

#include "fleet/registry_messages.h"
#include "image/byte_sink.h"

namespace coffer::fleet::proxy {

class ChunkSender final : public image::ByteSink {
 public:
  using Send = std::function<Result<>(const Chunk&)>;  // blocks until the chunk is on its way
  // `first`: what the first chunk carries beside its data. `size`: of the layer, as its manifest says.
  ChunkSender(Chunk first, std::uint64_t size, std::size_t chunk_size, Send send);

  Result<> write(ByteView data) override;
  Result<> finish() override;
  std::uint64_t sent() const { return index_; }

 private:
  Result<> send_buffer();

  Chunk next_;
  const std::uint64_t size_;
  const std::size_t chunk_size_;
  const Send send_;
  std::uint64_t index_ = 0, taken_ = 0;
  Bytes buffer_;
};

}  // namespace coffer::fleet::proxy

// Streams of bytes through stages. A stage is a sink that passes what it made to the next sink; finish() goes on only
// after the stage's own verdict held, so the last stage hears finish() only when everything before it was authentic.
#pragma once

#include <functional>

#include "base/bytes.h"
#include "image/error.h"

namespace coffer::image {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Result<> write(ByteView data) = 0;
  virtual Result<> finish() { return {}; }
};

// The next piece, a view that holds until the next call; empty at the end.
using ChunkSource = std::function<Result<ByteView>()>;

// Bytes done and bytes in total, for progress bars. Called from a worker thread, at most once a buffer.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

}  // namespace coffer::image

// A fixed number of buffers that travel between two threads: full ones to the consumer, empty ones back. The number is
// the bound on memory and the back-pressure.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "base/secret_bytes.h"

namespace coffer::image {

struct Buffer {
  SecretBytes memory;  // wiped at the end: it holds plaintext of encrypted layers
  std::size_t used = 0;

  MutableByteView space() { return memory.mutable_expose().subspan(used); }
  ByteView content() const { return memory.expose().first(used); }
};

class BufferRing {
 public:
  BufferRing(std::size_t buffers, std::size_t buffer_size);

  // Producer. Null after cancel().
  Buffer* acquire_empty();
  void submit(Buffer* buffer);
  void close();  // no more will come

  // Consumer. Null at the end and after cancel(); cancelled() tells which.
  Buffer* take_full();
  void give_back(Buffer* buffer);

  // Either side gives up: both wake.
  void cancel();
  bool cancelled() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Buffer> buffers_;
  std::deque<Buffer*> empty_, full_;
  bool closed_ = false;
  bool cancelled_ = false;
};

}  // namespace coffer::image

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "wasm/invocation.h"

namespace coffer::wasm {

Source source_of(Bytes bytes) {
  return [bytes = std::move(bytes), at = std::size_t{0}](MutableByteView out) mutable {
    const auto size = std::min(out.size(), bytes.size() - at);
    if (size > 0) std::memcpy(out.data(), bytes.data() + at, size);
    at += size;
    return size;
  };
}

Source source_of_file_descriptor(int file_descriptor) {
  return [file_descriptor](MutableByteView out) -> std::size_t {
    for (;;) {
      const auto size = ::read(file_descriptor, out.data(), out.size());
      if (size >= 0) return static_cast<std::size_t>(size);
      if (errno != EINTR) return 0;
    }
  };
}

}  // namespace coffer::wasm

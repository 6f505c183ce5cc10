#pragma once

#include "base/bytes.h"
#include "image/error.h"

namespace coffer::image::unpack {

// What stands before and behind the content of a tar that holds one file: its ustar header, and padding with the end
// mark. Time, owner and group are zero, so that equal files make equal layers.
struct TarFrame {
  Bytes before, after;
};
Result<TarFrame> frame_of_file(std::string_view name, std::uint64_t size);

}  // namespace coffer::image::unpack

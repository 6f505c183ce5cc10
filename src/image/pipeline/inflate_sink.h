// Inflates gzip (any number of members) and zstd (any number of frames) as bytes arrive.
#pragma once

#include <memory>

#include "image/byte_sink.h"
#include "image/media_type.h"
#include "image/unpack/limits.h"

namespace coffer::image {

// A stage for `compression`; for Compression::none it only counts. bad_compression, truncated, or limit_exceeded where
// the output grows over `limits`.
std::unique_ptr<ByteSink> make_inflate_sink(Compression compression, const Limits& limits, ByteSink& next);

}  // namespace coffer::image

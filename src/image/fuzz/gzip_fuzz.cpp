// isa-l, as we drive it, against zlib: what both take they have to inflate to the same bytes, in pieces of any size.
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <optional>

#include "image/pipeline/inflate_sink.h"
#include "image/testing/archives.h"

namespace {

using coffer::Bytes;
using coffer::ByteView;

constexpr std::size_t max_output = 256U << 10;

std::optional<Bytes> ours(ByteView data, std::size_t piece) {
  coffer::image::testing::CollectSink out;
  const auto sink =
      coffer::image::make_inflate_sink(coffer::image::Compression::gzip, {.max_unpacked_size = max_output}, out);
  const auto source = coffer::image::testing::chunks_of(data, piece);
  for (auto chunk = source(); !chunk->empty(); chunk = source()) {
    if (!sink->write(*chunk)) return std::nullopt;
  }
  return sink->finish() ? std::optional{std::move(out.content)} : std::nullopt;
}

// One gzip member that ends exactly at the end of the input; nothing otherwise.
std::optional<Bytes> zlibs(ByteView data) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  Bytes out(max_output);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0;
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return whole ? std::optional{std::move(out)} : std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] + 1U;
  const ByteView rest{reinterpret_cast<const std::byte*>(data) + 1, size - 1};
  const auto whole = ours(rest, 1U << 20), pieces = ours(rest, piece);
  if (whole != pieces) std::abort();
  const auto reference = zlibs(rest);
  if (reference && (!whole || *whole != *reference)) std::abort();
  // And what zlib makes of these very bytes comes back.
  const auto packed = coffer::image::testing::gzip(rest);
  const auto back = ours(packed, piece);
  if (!back || !coffer::equal(*back, rest)) std::abort();
  return 0;
}

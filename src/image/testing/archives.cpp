#include "image/testing/archives.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>

namespace coffer::image::testing {
namespace {

constexpr std::size_t block = 512;

std::string octal(std::uint64_t value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
  return text;
}

void put(Bytes& header, std::size_t offset, std::string_view text) {
  std::ranges::copy(as_bytes(text), header.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

void TarBuilder::header(char type, std::string_view name, std::string_view target, std::uint64_t size, unsigned mode) {
  Bytes head(block);
  put(head, 0, name.substr(0, 100));
  put(head, 100, octal(mode, 7));
  put(head, 108, octal(0, 7));
  put(head, 116, octal(0, 7));
  put(head, 124, octal(size, 11));
  put(head, 136, octal(1'000'000'000, 11));
  put(head, 148, "        ");
  head[156] = static_cast<std::byte>(type);
  put(head, 157, target.substr(0, 100));
  put(head, 257,
      std::string_view{"ustar\0"
                       "00",
                       8});
  unsigned sum = 0;
  for (const auto byte : head) sum += std::to_integer<unsigned>(byte);
  put(head, 148, octal(sum, 6) + std::string{"\0 ", 2});
  out_.insert(out_.end(), head.begin(), head.end());
}

TarBuilder& TarBuilder::entry(char type, std::string_view name, std::string_view target, std::string_view content,
                              unsigned mode) {
  header(type, name, target, content.size(), mode);
  const auto bytes = as_bytes(content);
  out_.insert(out_.end(), bytes.begin(), bytes.end());
  out_.resize((out_.size() + block - 1) / block * block);
  return *this;
}

TarBuilder& TarBuilder::file(std::string_view name, std::string_view content, unsigned mode) {
  return entry('0', name, "", content, mode);
}

TarBuilder& TarBuilder::claimed_file(std::string_view name, std::uint64_t size) {
  header('0', name, "", size, 0644);
  return *this;
}

TarBuilder& TarBuilder::zero_blocks(std::size_t count) {
  out_.resize(out_.size() + count * block);
  return *this;
}

Bytes TarBuilder::build() const {
  auto out = out_;
  out.resize(out.size() + 2 * block);
  return out;
}

Bytes gzip(ByteView data) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&stream, data.size()) + 64);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Bytes zstd(ByteView data) {
  Bytes out(ZSTD_compressBound(data.size()));
  out.resize(ZSTD_compress(out.data(), out.size(), data.data(), data.size(), 3));
  return out;
}

Bytes small_module() {
  return to_bytes(std::string_view{"\0asm\1\0\0\0", 8});
}

Bytes module_of_size(std::size_t size) {
  auto out = small_module();
  const auto rest = noise(size - out.size());
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

Bytes noise(std::size_t size, unsigned seed) {
  std::mt19937 engine{seed};
  Bytes out(size);
  std::ranges::generate(out, [&] { return static_cast<std::byte>(engine()); });
  return out;
}

ChunkSource chunks_of(ByteView data, std::size_t piece) {
  auto rest = std::make_shared<ByteView>(data);
  return [rest, piece]() -> Result<ByteView> {
    const auto out = rest->first(std::min(piece, rest->size()));
    *rest = rest->subspan(out.size());
    return out;
  };
}

}  // namespace coffer::image::testing

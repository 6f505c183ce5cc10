#include "image/unpack/tar_file.h"

#include <algorithm>
#include <string>

namespace coffer::image::unpack {
namespace {

constexpr std::size_t block = 512;
constexpr std::uint64_t max_size = 1ULL << 33;  // eleven octal digits

std::string octal(std::uint64_t value, std::size_t digits) {
  std::string out(digits, '0');
  for (auto at = out.rbegin(); at != out.rend(); ++at, value /= 8) *at = static_cast<char>('0' + value % 8);
  return out;
}

void put(Bytes& header, std::size_t offset, std::string_view text) {
  std::ranges::copy(as_bytes(text), header.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

// POSIX.1-2017 pax, "ustar Interchange Format": offsets of the header's fields.
Result<TarFrame> frame_of_file(std::string_view name, std::uint64_t size) {
  if (name.size() > 100 || size >= max_size)
    return fail(ImageError::limit_exceeded, "the file does not fit a ustar header");
  Bytes header(block);
  put(header, 0, name);
  put(header, 100, octal(0644, 7));
  put(header, 108, octal(0, 7));
  put(header, 116, octal(0, 7));
  put(header, 124, octal(size, 11));
  put(header, 136, octal(0, 11));
  put(header, 148, "        ");
  put(header, 156, "0");
  put(header, 257,
      std::string_view{"ustar\0"
                       "00",
                       8});
  unsigned sum = 0;
  for (const auto byte : header) sum += std::to_integer<unsigned>(byte);
  put(header, 148, octal(sum, 6) + std::string{"\0 ", 2});
  const auto padding = (block - size % block) % block;
  return TarFrame{std::move(header), Bytes(padding + 2 * block)};
}

}  // namespace coffer::image::unpack

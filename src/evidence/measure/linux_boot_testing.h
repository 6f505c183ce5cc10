// A kernel for tests: PE/COFF and Linux set-up header in one, as a bzImage is.
#pragma once

#include "evidence/measure/pe_testing.h"

namespace coffer::evidence::measure {

// Set-up header fields where boot.rst has them; the PE headers lie behind them.
inline Bytes kernel_for_tests(std::uint16_t protocol = 0x20f) {
  // PE header, optional header and one section header end before 1024.
  auto image = PeBuilder{.headers = 512, .pe_offset = 0x40}.build();
  const auto put = [&](std::size_t offset, std::initializer_list<unsigned> bytes) {
    for (const auto byte : bytes) image[offset++] = static_cast<std::byte>(byte);
  };
  put(0x1fe, {0x55, 0xaa});
  put(0x202, {'H', 'd', 'r', 'S', protocol & 0xffU, unsigned{protocol} >> 8U});
  put(0x210, {0, 1});
  put(0x22c, {0xff, 0xff, 0xff, 0x7f});
  put(0x236, {0x3f, 0});
  return image;
}

}  // namespace coffer::evidence::measure

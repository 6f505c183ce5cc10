// Enclave images for tests.
#pragma once

#include <zlib.h>

#include <utility>
#include <vector>

#include "base/byte_reader.h"

namespace coffer::evidence::measure {

struct EifBuilder {
  std::uint16_t version = 4;
  std::vector<std::pair<std::uint16_t, Bytes>> sections{{1, to_bytes("kernel")},
                                                        {2, to_bytes("quiet")},
                                                        {5, to_bytes("{}")},
                                                        {3, to_bytes("boot ramdisk")},
                                                        {3, to_bytes("application")}};
  bool right_checksum = true;

  Bytes build() const {
    ByteWriter body;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
    for (const auto& [type, content] : sections) {
      places.emplace_back(548 + body.view().size(), content.size());
      body.u16_be(type).u16_be(0).u64_be(content.size()).bytes(content);
    }
    ByteWriter out;
    out.bytes(as_bytes(".eif")).u16_be(version).u16_be(0).u64_be(0).u64_be(2).u16_be(0);
    out.u16_be(static_cast<std::uint16_t>(sections.size()));
    for (std::size_t i = 0; i < 32; ++i) out.u64_be(i < places.size() ? places[i].first : 0);
    for (std::size_t i = 0; i < 32; ++i) out.u64_be(i < places.size() ? places[i].second : 0);
    out.u32_be(0);
    const auto all = concat({out.view(), body.view()});
    const auto crc = ::crc32(0, reinterpret_cast<const Bytef*>(all.data()), static_cast<uInt>(all.size()));
    return concat({out.view(), ByteWriter{}.u32_be(static_cast<std::uint32_t>(right_checksum ? crc : crc + 1)).take(),
                   body.view()});
  }
};

}  // namespace coffer::evidence::measure

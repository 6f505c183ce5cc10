// Small PE/COFF images for tests.
#pragma once

#include <utility>

#include "base/byte_reader.h"

namespace coffer::evidence::measure {

// Headers of 512 bytes, one section of 256 bytes "s", 64 bytes behind it "t", 32 bytes of certificates "c".
struct PeBuilder {
  std::uint16_t magic = 0x20b;
  std::uint32_t directories = 16;
  std::uint32_t certificates = 32;
  std::uint32_t headers = 512;
  std::uint32_t section_offset = 512;
  std::uint32_t section_size = 256;
  std::uint16_t sections = 1;
  std::uint32_t pe_offset = 0x80;

  std::size_t optional() const { return pe_offset + 24; }
  std::size_t checksum() const { return optional() + 64; }
  std::size_t certificate_entry() const { return optional() + (magic == 0x20b ? 112 : 96) + 32; }

  Bytes build() const {
    ByteWriter out;
    out.bytes(as_bytes("MZ")).zeros(0x3a).u32_le(pe_offset).zeros(pe_offset - 0x40);
    out.bytes(as_bytes(std::string_view{"PE\0\0", 4})).u16_le(0x8664).u16_le(sections).zeros(12);
    const std::uint16_t optional_size = magic == 0x20b ? 240 : 224;
    out.u16_le(optional_size).u16_le(0);
    const auto start = out.view().size();
    out.u16_le(magic).zeros(58).u32_le(headers).u32_le(0xdeadbeef);
    out.zeros(start + (magic == 0x20b ? 108 : 92) - out.view().size()).u32_le(directories);
    out.zeros(32).u32_le(512 + 256 + 64).u32_le(certificates);
    out.zeros(start + optional_size - out.view().size());
    out.bytes(as_bytes(".text"))
        .zeros(3)
        .u32_le(256)
        .u32_le(4096)
        .u32_le(section_size)
        .u32_le(section_offset)
        .zeros(16);
    out.zeros(512 - out.view().size());
    auto bytes = out.take();
    bytes.resize(512 + 256, std::byte{'s'});
    bytes.resize(512 + 256 + 64, std::byte{'t'});
    bytes.resize(512 + 256 + 64 + 32, std::byte{'c'});
    return bytes;
  }
};

}  // namespace coffer::evidence::measure

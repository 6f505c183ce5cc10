// Firmware images for tests: nothing but the tables at their end.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/byte_reader.h"
#include "evidence/measure/ovmf.h"

namespace coffer::evidence::measure {

// An image of `size` bytes whose last page holds the table; descriptors lie before it.
class OvmfBuilder {
 public:
  explicit OvmfBuilder(std::size_t size = 4096) : image_(size, std::byte{0x90}) {}

  OvmfBuilder& entry(std::string_view guid, Bytes data) {
    entries_.emplace_back(guid_of(guid), std::move(data));
    return *this;
  }
  // An entry that points to `descriptor`, which is placed `distance` bytes before the end.
  OvmfBuilder& descriptor(std::string_view guid, const Bytes& descriptor, std::uint32_t distance = 2048) {
    for (std::size_t i = 0; i < descriptor.size(); ++i) image_[image_.size() - distance + i] = descriptor[i];
    return entry(guid, ByteWriter{}.u32_le(distance).take());
  }
  Bytes build() const {
    ByteWriter table;
    for (const auto& [guid, data] : entries_) {
      table.bytes(data).u16_le(static_cast<std::uint16_t>(data.size() + 18)).bytes(guid);
    }
    const auto whole = static_cast<std::uint16_t>(table.view().size() + 18);
    table.u16_le(whole).bytes(guid_of("96b582de-1fb2-45f7-baea-a366c55a082d"));
    auto out = image_;
    const auto start = out.size() - 32 - table.view().size();
    for (std::size_t i = 0; i < table.view().size(); ++i) out[start + i] = table.view()[i];
    return out;
  }

 private:
  Bytes image_;
  std::vector<std::pair<Guid, Bytes>> entries_;
};

constexpr std::string_view sev_metadata_guid = "dc886566-984a-4798-a75e-5585a7bf67cc";
constexpr std::string_view tdx_metadata_guid = "e47a6535-984a-4798-865e-4685a7bf8ec2";
constexpr std::string_view hash_table_guid = "7255371f-3a3b-4b04-927b-1da6efa8d454";
constexpr std::string_view reset_block_guid = "00f771de-1a7e-4fcb-890e-68c77e2fb44e";

struct SevRow {
  std::uint32_t address, size, type;
};
inline Bytes sev_metadata(const std::vector<SevRow>& rows) {
  ByteWriter out;
  out.bytes(as_bytes("ASEV")).u32_le(static_cast<std::uint32_t>(16 + rows.size() * 12)).u32_le(1);
  out.u32_le(static_cast<std::uint32_t>(rows.size()));
  for (const auto& row : rows) out.u32_le(row.address).u32_le(row.size).u32_le(row.type);
  return out.take();
}

struct TdxRow {
  std::uint32_t offset, size;
  std::uint64_t address, memory;
  std::uint32_t type, attributes;
};
inline Bytes tdx_metadata(const std::vector<TdxRow>& rows, std::uint32_t version = 1) {
  ByteWriter out;
  out.bytes(as_bytes("TDVF")).u32_le(static_cast<std::uint32_t>(16 + rows.size() * 32)).u32_le(version);
  out.u32_le(static_cast<std::uint32_t>(rows.size()));
  for (const auto& row : rows) {
    out.u32_le(row.offset)
        .u32_le(row.size)
        .u64_le(row.address)
        .u64_le(row.memory)
        .u32_le(row.type)
        .u32_le(row.attributes);
  }
  return out.take();
}

}  // namespace coffer::evidence::measure

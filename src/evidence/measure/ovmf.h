// The tables at the end of an OVMF image, by which a machine monitor knows what to load and to measure where.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/measure/error.h"

namespace coffer::evidence::measure {

// A GUID as it lies in memory: the first three groups little-endian.
using Guid = std::array<std::byte, 16>;
// "dc886566-984a-4798-a75e-5585a7bf67cc"; for the constants of this folder, whose form is known.
Guid guid_of(std::string_view text);

// OvmfPkg/ResetVector: a list of (data, length, GUID), read backwards from 32 bytes before the end.
class OvmfTable {
 public:
  // bad_firmware: no footer, lengths that do not fit, two entries of one GUID.
  static Result<OvmfTable> parse(ByteView image);
  // A view into the image; nothing where there is none.
  std::optional<ByteView> find(const Guid& guid) const;

 private:
  std::map<Guid, ByteView> entries_;
};

struct SevSection {
  enum class Type : std::uint32_t {
    secure_memory = 1,
    secrets = 2,
    cpuid = 3,
    svsm_calling_area = 4,
    kernel_hashes = 0x10
  };
  std::uint32_t address;
  std::uint32_t size;
  Type type;
};

struct SevFirmware {
  std::vector<SevSection> sections;
  std::optional<std::uint32_t> hash_table_address{};  // where QEMU writes the hashes of kernel, initrd and command line
  std::uint32_t reset_eip = 0;                        // first instruction of the processors but the first
};
// bad_firmware where there is no SEV metadata.
Result<SevFirmware> read_sev_firmware(ByteView image);

struct TdxSection {
  std::uint32_t data_offset, data_size;  // in the image
  std::uint64_t address, memory_size;
  std::uint32_t type, attributes;
  bool measured() const { return (attributes & 1) != 0; }     // MR.EXTEND
  bool added_later() const { return (attributes & 2) != 0; }  // PAGE.AUG: no part of the launch
};
// Intel TDX Virtual Firmware Design Guide, section 11. bad_firmware.
Result<std::vector<TdxSection>> read_tdx_sections(ByteView image);

}  // namespace coffer::evidence::measure

#include "evidence/measure/snp.h"

#include <algorithm>
#include <array>

#include "base/byte_reader.h"
#include "crypto/hash.h"
#include "evidence/measure/ovmf.h"

namespace coffer::evidence::measure {

namespace {

constexpr std::size_t page_size = 4096;
constexpr std::size_t digest_bytes = 48;

// SEV Secure Nested Paging Firmware ABI 1.55, section 8.17.2: each page's PAGE_INFO is hashed with the digest before
// it.
class LaunchDigest {
 public:
  enum class PageType : std::uint8_t { normal = 1, vmsa = 2, zero = 3, secrets = 5, cpuid = 6 };

  explicit LaunchDigest(Bytes start = Bytes(digest_bytes)) : value_(std::move(start)) {}

  void add(PageType type, std::uint64_t address, ByteView content_digest) {
    constexpr std::uint16_t info_size = 0x70;
    ByteWriter info;
    info.bytes(value_).bytes(content_digest).u16_le(info_size).u8(static_cast<std::uint8_t>(type));
    info.zeros(5);  // no IMI page, no permissions for other VMPLs
    info.u64_le(address);
    value_ = crypto::sha384(info.view());
  }
  void add_pages(std::uint64_t address, ByteView content) {
    for (std::size_t offset = 0; offset < content.size(); offset += page_size) {
      add(PageType::normal, address + offset, crypto::sha384(content.subspan(offset, page_size)));
    }
  }
  void add_empty(PageType type, std::uint64_t address, std::uint64_t size) {
    const Bytes none(digest_bytes);
    for (std::uint64_t offset = 0; offset < size; offset += page_size) add(type, address + offset, none);
  }
  const Bytes& value() const { return value_; }

 private:
  Bytes value_;
};

struct CpuType {
  std::string_view name;
  std::uint8_t family, model, stepping;
};
// QEMU's target/i386/cpu.c; versions of one type ("EPYC-v4") have its signature.
constexpr std::array cpu_types{CpuType{"EPYC", 23, 1, 2},        CpuType{"EPYC-IBPB", 23, 1, 2},
                               CpuType{"EPYC-Rome", 23, 49, 0},  CpuType{"EPYC-Milan", 25, 1, 1},
                               CpuType{"EPYC-Genoa", 25, 17, 0}, CpuType{"EPYC-Turin", 26, 0, 0}};

// CPUID Fn0000_0001_EAX (AMD APM volume 3, appendix E.3.2).
std::uint32_t signature_of(const CpuType& cpu) {
  const unsigned extended = cpu.family > 0xf ? cpu.family - 0xfU : 0;
  const unsigned family = cpu.family > 0xf ? 0xfU : cpu.family;
  return extended << 20 | (cpu.model >> 4U) << 16 | family << 8 | (cpu.model & 0xfU) << 4 | cpu.stepping;
}

Result<std::uint32_t> cpu_signature(std::string name) {
  const auto version = name.rfind("-v");
  if (version != std::string::npos && version + 2 < name.size() &&
      std::all_of(name.begin() + static_cast<std::ptrdiff_t>(version) + 2, name.end(),
                  [](char c) { return c >= '0' && c <= '9'; })) {
    name.resize(version);
  }
  const auto found = std::ranges::find(cpu_types, name, &CpuType::name);
  if (found != cpu_types.end()) return signature_of(*found);
  return fail(MeasureError::bad_machine, "processor type \"" + name +
                                             "\" is not known; EPYC, EPYC-Rome, EPYC-Milan, "
                                             "EPYC-Genoa and EPYC-Turin are");
}

void put(Bytes& page, std::size_t offset, std::size_t size, std::uint64_t value) {
  for (std::size_t i = 0; i < size; ++i) page[offset + i] = static_cast<std::byte>(value >> (8 * i));
}

// A segment register: selector, attributes, limit, base.
void put_segment(Bytes& page, std::size_t offset, std::uint16_t selector, std::uint16_t attributes,
                 std::uint64_t base = 0) {
  put(page, offset, 2, selector);
  put(page, offset + 2, 2, attributes);
  put(page, offset + 4, 4, 0xffff);
  put(page, offset + 8, 8, base);
}

// The state in which KVM under QEMU starts a processor (AMD APM volume 2, table B-4, gives the offsets).
Bytes vmsa_page(std::uint32_t eip, std::uint32_t cpu_signature, std::uint64_t features) {
  Bytes page(page_size);
  for (const std::size_t data_segment : {0x00, 0x20, 0x30, 0x40, 0x50}) put_segment(page, data_segment, 0, 0x93);
  put_segment(page, 0x10, 0xf000, 0x9b, eip & 0xffff0000);
  put_segment(page, 0x60, 0, 0);     // GDTR
  put_segment(page, 0x70, 0, 0x82);  // LDTR
  put_segment(page, 0x80, 0, 0);     // IDTR
  put_segment(page, 0x90, 0, 0x8b);  // TR
  put(page, 0x0d0, 8, 0x1000);       // EFER: SVME
  put(page, 0x148, 8, 0x40);         // CR4: MCE
  put(page, 0x158, 8, 0x10);         // CR0
  put(page, 0x160, 8, 0x400);        // DR7
  put(page, 0x168, 8, 0xffff0ff0);   // DR6
  put(page, 0x170, 8, 0x2);          // RFLAGS
  put(page, 0x178, 8, eip & 0xffff);
  put(page, 0x268, 8, 0x0007040600070406);  // PAT
  put(page, 0x310, 8, cpu_signature);       // RDX
  put(page, 0x3b0, 8, features);
  put(page, 0x3e8, 8, 1);       // XCR0
  put(page, 0x408, 4, 0x1f80);  // MXCSR
  put(page, 0x410, 2, 0x37f);   // x87 control word
  return page;
}

// QEMU's target/i386/sev.c: a table of the three hashes, in a page of zeros.
Bytes hash_table_page(const SnpLaunch& launch, std::size_t offset_in_page) {
  constexpr std::uint16_t entry_size = 16 + 2 + 32;
  ByteWriter table;
  const auto entry = [&](std::string_view guid, const Bytes& hash) {
    table.bytes(guid_of(guid)).u16_le(entry_size).bytes(hash);
  };
  table.bytes(guid_of("9438d606-4f22-4cc9-b479-a793d411fd21")).u16_le(18 + 3 * entry_size);
  auto command_line = to_bytes(launch.command_line);
  command_line.push_back(std::byte{0});
  entry("97d02dd8-bd20-4c94-aa78-e7714d36ab2a", crypto::sha256(command_line));
  entry("44baf731-3a2f-4bd7-9af1-41e29169781d", crypto::sha256(launch.initrd));
  entry("4de79437-abd2-427f-b835-d5b172d2045b", crypto::sha256(*launch.kernel));
  Bytes page(page_size);
  std::ranges::copy(table.view(), page.begin() + static_cast<std::ptrdiff_t>(offset_in_page));
  return page;
}
constexpr std::size_t hash_table_size = 18 + 3 * 50;

Result<> add_kernel_hashes(LaunchDigest& digest, const SnpLaunch& launch, const SevFirmware& firmware,
                           const SevSection& section) {
  if (!launch.kernel) {
    digest.add_empty(LaunchDigest::PageType::zero, section.address, section.size);
    return {};
  }
  const auto offset = firmware.hash_table_address.value_or(0) % page_size;
  if (!firmware.hash_table_address || section.size != page_size || offset + hash_table_size > page_size) {
    return fail(MeasureError::bad_firmware, "the firmware's place for the kernel's hash is no page with room for it");
  }
  digest.add_pages(section.address, hash_table_page(launch, offset));
  return {};
}

Result<> add_section(LaunchDigest& digest, const SnpLaunch& launch, const SevFirmware& firmware,
                     const SevSection& section) {
  using PageType = LaunchDigest::PageType;
  switch (section.type) {
    case SevSection::Type::secure_memory:
    case SevSection::Type::svsm_calling_area:
      digest.add_empty(PageType::zero, section.address, section.size);
      return {};
    case SevSection::Type::secrets: digest.add_empty(PageType::secrets, section.address, page_size); return {};
    case SevSection::Type::cpuid: digest.add_empty(PageType::cpuid, section.address, page_size); return {};
    case SevSection::Type::kernel_hashes: return add_kernel_hashes(digest, launch, firmware, section);
  }
  return fail(MeasureError::bad_firmware, "the firmware has a SEV section of unknown type " +
                                              std::to_string(static_cast<std::uint32_t>(section.type)));
}

Result<> check(const SnpLaunch& launch, const SevFirmware& firmware) {
  if (launch.cpus == 0 || launch.cpus > 1024)
    return fail(MeasureError::bad_machine, "from 1 to 1024 processors are expected");
  if (launch.cpus > 1 && firmware.reset_eip == 0) {
    return fail(MeasureError::bad_firmware, "the firmware does not say where processors but the first begin");
  }
  const bool place = std::ranges::any_of(firmware.sections,
                                         [](const auto& each) { return each.type == SevSection::Type::kernel_hashes; });
  if (launch.kernel && !place) {
    return fail(MeasureError::bad_firmware,
                "the firmware has no place for a kernel's hash: it is not built for measured "
                "direct boot");
  }
  if (launch.firmware_digest && launch.firmware_digest->size() != digest_bytes) {
    return fail(MeasureError::bad_firmware, "a firmware digest has 48 bytes");
  }
  return {};
}

}  // namespace

std::span<const std::string_view> snp_cpu_types() {
  static const auto names = [] {
    std::array<std::string_view, cpu_types.size()> out;
    std::ranges::transform(cpu_types, out.begin(), &CpuType::name);
    return out;
  }();
  return names;
}

Result<Bytes> snp_firmware_digest(ByteView firmware) {
  if (firmware.size() % page_size != 0 || firmware.empty() || firmware.size() > (64U << 20)) {
    return fail(MeasureError::bad_firmware, "firmware is a whole number of pages, at most 64 MiB");
  }
  LaunchDigest digest;
  digest.add_pages((std::uint64_t{1} << 32) - firmware.size(), firmware);
  return digest.value();
}

Result<Bytes> snp_launch_digest(const SnpLaunch& launch) {
  const auto firmware = TRY(read_sev_firmware(launch.firmware));
  TRY(check(launch, firmware));
  const auto signature = TRY(cpu_signature(launch.cpu_type));
  LaunchDigest digest {
    launch.firmware_digest ? *launch.firmware_digest : TRY(snp_firmware_digest(launch.firmware))
  };
  for (const auto& section : firmware.sections) TRY(add_section(digest, launch, firmware, section));
  constexpr std::uint64_t vmsa_address = 0xfffffffff000;
  constexpr std::uint32_t first_eip = 0xfffffff0;
  for (unsigned cpu = 0; cpu < launch.cpus; ++cpu) {
    const auto page = vmsa_page(cpu == 0 ? first_eip : firmware.reset_eip, signature, launch.guest_features);
    digest.add(LaunchDigest::PageType::vmsa, vmsa_address, crypto::sha384(page));
  }
  return digest.value();
}

}  // namespace coffer::evidence::measure

#include "evidence/measure/linux_boot.h"

#include <algorithm>

#include "base/byte_reader.h"

namespace coffer::evidence::measure {

namespace {

// Fields of the set-up header (boot.rst, "The Real-Mode Kernel Header").
constexpr std::size_t boot_flag = 0x1fe;
constexpr std::size_t header_magic = 0x202;
constexpr std::size_t version = 0x206;
constexpr std::size_t type_of_loader = 0x210;
constexpr std::size_t loadflags = 0x211;
constexpr std::size_t ramdisk_image = 0x218;
constexpr std::size_t ramdisk_size = 0x21c;
constexpr std::size_t heap_end_ptr = 0x224;
constexpr std::size_t cmd_line_ptr = 0x228;
constexpr std::size_t initrd_addr_max = 0x22c;
constexpr std::size_t xloadflags = 0x236;
constexpr std::size_t header_end = 0x268;

constexpr std::uint8_t loaded_high = 0x01;
constexpr std::uint8_t can_use_heap = 0x80;
constexpr std::uint16_t can_be_loaded_above_4g = 0x02;

// Where QEMU's loader puts things (hw/i386/x86.c): a kernel that is loaded high, protocol 2.02 and later.
constexpr std::uint32_t real_mode_address = 0x10000;
constexpr std::uint32_t command_line_address = 0x20000;
constexpr std::uint8_t loader_qemu = 0xb0;
constexpr std::uint64_t acpi_data_size = 0x28000;
// q35: memory above this is moved behind 4 GiB.
constexpr std::uint64_t q35_low_memory = 0xb0000000;
constexpr std::uint64_t q35_low_memory_of_large = 0x80000000;

std::uint64_t get(ByteView bytes, std::size_t offset, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= std::to_integer<std::uint64_t>(bytes[offset + i]) << (8 * i);
  return value;
}

void put(Bytes& bytes, std::size_t offset, std::size_t size, std::uint64_t value) {
  for (std::size_t i = 0; i < size; ++i) bytes[offset + i] = static_cast<std::byte>(value >> (8 * i));
}

Result<> check_kernel(ByteView kernel) {
  const auto bad = [](std::string text) { return fail(MeasureError::bad_kernel, std::move(text)); };
  if (kernel.size() < header_end || get(kernel, boot_flag, 2) != 0xaa55 ||
      as_text(kernel.subspan(header_magic, 4)) != "HdrS") {
    return bad("a Linux kernel (bzImage) is expected, the set-up header's marks are missing");
  }
  if (get(kernel, version, 2) < 0x20c) {
    return bad("boot protocol 2.12 or later is expected, the kernel has " +
               std::to_string(get(kernel, version + 1, 1)) + "." + std::to_string(get(kernel, version, 1)));
  }
  if ((get(kernel, loadflags, 1) & loaded_high) == 0) return bad("the kernel is none that is loaded high");
  return {};
}

std::uint64_t highest_initrd_byte(ByteView kernel, std::uint64_t memory) {
  const bool above_4g = (get(kernel, xloadflags, 2) & can_be_loaded_above_4g) != 0;
  const std::uint64_t kernel_limit = above_4g ? 0xffffffff : get(kernel, initrd_addr_max, 4);
  const auto low_limit = memory >= q35_low_memory ? q35_low_memory_of_large : q35_low_memory;
  const auto low_memory = std::min(memory, low_limit);
  return std::min(kernel_limit, low_memory - acpi_data_size - 1);
}

}  // namespace

Result<Bytes> kernel_as_loaded(ByteView kernel, const LinuxMachine& machine) {
  TRY(check_kernel(kernel));
  if (machine.memory < (64U << 20)) return fail(MeasureError::bad_machine, "at least 64 MiB of memory are expected");
  auto out = to_bytes(kernel);
  put(out, cmd_line_ptr, 4, command_line_address);
  put(out, type_of_loader, 1, loader_qemu);
  put(out, loadflags, 1, get(kernel, loadflags, 1) | can_use_heap);
  put(out, heap_end_ptr, 2, command_line_address - real_mode_address - 0x200);
  if (machine.initrd_size == 0) return out;
  const auto highest = highest_initrd_byte(kernel, machine.memory);
  if (machine.initrd_size >= highest) {
    return fail(MeasureError::bad_machine, "an initrd of " + std::to_string(machine.initrd_size) +
                                               " bytes does not fit into " + std::to_string(machine.memory) +
                                               " bytes of memory");
  }
  put(out, ramdisk_image, 4, (highest - machine.initrd_size) & ~std::uint64_t{4095});
  put(out, ramdisk_size, 4, machine.initrd_size);
  return out;
}

Result<Bytes> load_options(const std::string& command_line, bool has_initrd) {
  const bool printable = std::ranges::all_of(command_line, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!printable || command_line.size() > 2047) {
    return fail(MeasureError::bad_command_line,
                "a kernel's command line is at most 2047 characters of printable ASCII");
  }
  ByteWriter out;
  for (const char c : command_line + (has_initrd ? " initrd=initrd" : "")) out.u16_le(static_cast<std::uint8_t>(c));
  out.u16_le(0);
  return out.take();
}

}  // namespace coffer::evidence::measure

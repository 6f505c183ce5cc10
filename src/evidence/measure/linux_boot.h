// A Linux kernel as QEMU hands it to firmware: `-kernel` writes into the image's set-up header before anything measures
// it, so that the digest of the file on disk is not the digest of what starts.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/measure/error.h"

namespace coffer::evidence::measure {

// What of a machine decides where QEMU puts things (machine type q35).
struct LinuxMachine {
  std::uint64_t memory = 0;       // bytes
  std::uint64_t initrd_size = 0;  // bytes; 0: none
};

// The kernel with the set-up header fields that QEMU's loader fills (Linux boot protocol,
// Documentation/arch/x86/boot.rst: type_of_loader, loadflags, heap_end_ptr, cmd_line_ptr, ramdisk_image, ramdisk_size).
// bad_kernel; bad_machine where the initrd does not fit into memory.
Result<Bytes> kernel_as_loaded(ByteView kernel, const LinuxMachine& machine);

// What firmware gives the kernel as load options: the command line and the name of the initrd, UTF-16LE with its end.
// bad_command_line for what is not printable ASCII.
Result<Bytes> load_options(const std::string& command_line, bool has_initrd);

}  // namespace coffer::evidence::measure

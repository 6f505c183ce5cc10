// A machine image: a directory with kernel, initrd and vm.json, which says how they are started.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/json.h"
#include "vm/error.h"

namespace coffer::vm {

inline constexpr std::string_view default_command_line = "console=ttyS0 quiet panic=-1";
inline constexpr unsigned default_memory_mib = 1024;

struct Image {
  std::filesystem::path kernel, initrd;
  std::string command_line{default_command_line};
  unsigned memory_mib = default_memory_mib;
  std::string kernel_release{};

  std::uint64_t memory() const { return std::uint64_t{memory_mib} << 20; }
};

// Writes vmlinuz, initrd and vm.json: {"version":1,"command_line","memory_mib","kernel_release","kernel_sha256",
// "initrd_sha256"}. `out.kernel` and `out.initrd` are set.
Result<Image> save_image(const std::filesystem::path& directory, Image out, ByteView kernel, ByteView initrd);
// bad_image where a file is not the one that vm.json names.
Result<Image> load_image(const std::filesystem::path& directory);

}  // namespace coffer::vm

// A Linux kernel of Debian's cloud flavour, taken from its package without installing it.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "vm/error.h"

namespace coffer::vm {

struct Kernel {
  std::string release;            // "6.1.0-56-cloud-amd64"
  std::filesystem::path image;    // bzImage
  std::filesystem::path modules;  // .../lib/modules/<release>
};

// The newest kernel below `root`: boot/vmlinuz-<release> with lib/modules/<release>, as a package unpacks it.
// no_kernel.
Result<Kernel> find_kernel(const std::filesystem::path& root);

// From `cache`, where one was unpacked before; otherwise downloaded by apt-get and unpacked there. no_kernel, no_tool,
// tool_failed.
Result<Kernel> debian_kernel(const std::filesystem::path& cache);

struct Module {
  std::string name;  // "virtio_net"
  Bytes content;
};
// The modules with those that they depend on, in the order in which they can be loaded. A name that the kernel has not
// as a file is built in or unknown, which nothing tells apart: no_kernel.
Result<std::vector<Module>> load_order(const Kernel& kernel, std::span<const std::string> names);

// The names in a module's "depends=" (section .modinfo).
std::vector<std::string> module_dependencies(ByteView module);

}  // namespace coffer::vm

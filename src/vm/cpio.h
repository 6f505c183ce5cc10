// A tree as the kernel unpacks it: cpio in its "new" form (Documentation/driver-api/early-userspace/buffer-format.rst).
#pragma once

#include "vm/tree.h"

namespace coffer::vm {

// The same tree gives the same bytes: paths in their order, numbered inodes, owner and times 0. VmError::file for a
// file over 4 GiB.
Result<Bytes> write_cpio(const FileTree& tree);

// An initrd of two archives, which the kernel unpacks one after the other: what is small, such as settings and the
// command, legible; then the rest, compressed.
Result<Bytes> make_initrd(const FileTree& tree);

// One zstd frame, always the same for the same bytes and library.
Result<Bytes> compress(ByteView data);

}  // namespace coffer::vm

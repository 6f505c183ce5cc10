// A module in a memory file, sealed: what was authenticated cannot be changed, and touches no disk.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/file_descriptor.h"
#include "workload/error.h"

namespace coffer::workload::detail {

// runtime_missing where it cannot be made.
Result<FileDescriptor> make_memory_file(ByteView module);
// How a child that keeps the descriptor opens it.
std::string path_of(const FileDescriptor& file);

}  // namespace coffer::workload::detail

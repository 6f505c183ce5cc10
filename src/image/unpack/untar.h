// Tar layers onto disk, under one directory and never beside it: libarchive reads, we write.
#pragma once

#include <filesystem>

#include "image/byte_sink.h"
#include "image/unpack/limits.h"

namespace coffer::image::unpack {

struct UntarOptions {
  bool allow_devices = false;      // device nodes, FIFOs and sockets; refused otherwise
  bool restore_owner = false;      // chown; needs root
  bool apply_whiteouts = true;     // .wh.NAME removes, .wh..wh..opq empties (OCI layer.md); else refused as bad_tar
  std::uint64_t max_entries = Limits{}.max_entries;
  std::uint64_t max_size = Limits{}.max_unpacked_size;
};

struct UntarCount {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
};

// Reads a whole tar from `source` (drained to its end) into `root`, an existing directory. On an error what was
// extracted so far stays: the caller's quarantine is what gets removed.
Result<UntarCount> untar(const ByteSource& source, const std::filesystem::path& root, const UntarOptions& options);

}  // namespace coffer::image::unpack

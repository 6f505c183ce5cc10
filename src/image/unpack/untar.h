// Tar layers onto disk, under one directory and never beside it: libarchive reads, we write.
#pragma once

#include <filesystem>

#include "image/byte_sink.h"
#include "image/unpack/limits.h"

namespace coffer::image::unpack {

struct UntarOptions {
  bool allow_devices = false;   // device nodes, FIFOs and sockets; refused otherwise
  bool restore_owner = false;   // chown; needs root
  bool apply_whiteouts = true;  // .wh.NAME removes, .wh..wh..opq empties (OCI layer.md); else refused as bad_tar
  std::uint64_t max_entries = Limits{}.max_entries;
  std::uint64_t max_size = Limits{}.max_unpacked_size;
};

struct UntarCount {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
};

class TreeWriter;  // unpack/tree_writer.h

// Reads a whole tar from `source` (drained to its end) into the tree: one layer. `count` grows over all layers of an
// image and is held to the limits. On an error what was extracted so far stays: the caller's quarantine gets removed.
Result<> untar(const ChunkSource& source, TreeWriter& tree, const UntarOptions& options, UntarCount& count);
// One tar into `root`, an existing directory.
Result<UntarCount> untar(const ChunkSource& source, const std::filesystem::path& root, const UntarOptions& options);

}  // namespace coffer::image::unpack

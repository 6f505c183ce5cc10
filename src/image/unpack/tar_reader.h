// Entries of a tar stream, over libarchive. Formats: ustar, pax, GNU; names are taken as UTF-8.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "image/byte_sink.h"

namespace coffer::image::unpack {

enum class EntryType { file, directory, symlink, hard_link, character_device, block_device, fifo, socket };

struct TarEntry {
  EntryType type = EntryType::file;
  std::string path;         // as written
  std::string link_target;  // symlink or hard link
  std::uint64_t size = 0;
  unsigned mode = 0;  // permission bits
  std::uint32_t uid = 0, gid = 0;
  std::int64_t mtime = 0;  // seconds since the epoch
  std::uint64_t device = 0;
};

class TarReader {
 public:
  static Result<std::unique_ptr<TarReader>> open(ChunkSource source);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // The next entry, or nothing at the end: the source has then been read to its own end. bad_tar, or the source's
  // error.
  Result<std::optional<TarEntry>> next();
  // The current file's data in order of `offset`; gaps are zeros.
  Result<> read_data(const std::function<Result<>(std::uint64_t offset, ByteView data)>& take);

 private:
  struct Impl;
  explicit TarReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::image::unpack

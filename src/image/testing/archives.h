// What tests feed to the unpacker: tars good and bad, compressed in every way.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "image/byte_sink.h"

namespace coffer::image::testing {

// Writes ustar headers field by field, so that a test can say anything in them.
class TarBuilder {
 public:
  TarBuilder& file(std::string_view name, std::string_view content, unsigned mode = 0644);
  TarBuilder& directory(std::string_view name, unsigned mode = 0755) { return entry('5', name, "", "", mode); }
  TarBuilder& symlink(std::string_view name, std::string_view target) { return entry('2', name, target, "", 0777); }
  TarBuilder& hard_link(std::string_view name, std::string_view target) { return entry('1', name, target, "", 0644); }
  TarBuilder& character_device(std::string_view name) { return entry('3', name, "", "", 0666); }
  TarBuilder& fifo(std::string_view name) { return entry('6', name, "", "", 0666); }
  // A header that claims a size without the content that goes with it.
  TarBuilder& claimed_file(std::string_view name, std::uint64_t size);
  TarBuilder& zero_blocks(std::size_t count);

  Bytes build() const;  // with the end mark
  Bytes unfinished() const { return out_; }

 private:
  TarBuilder& entry(char type, std::string_view name, std::string_view target, std::string_view content, unsigned mode);
  void header(char type, std::string_view name, std::string_view target, std::uint64_t size, unsigned mode);
  Bytes out_;
};

Bytes gzip(ByteView data);  // by zlib
Bytes zstd(ByteView data);
// A plain module of 8 bytes and one of any size: the magic number, then a custom section.
Bytes small_module();
Bytes module_of_size(std::size_t size);
// Bytes that do not compress, the same for one seed.
Bytes noise(std::size_t size, unsigned seed = 1);

// The whole of `data` in pieces of `piece` bytes.
ChunkSource chunks_of(ByteView data, std::size_t piece = 64U << 10);

class CollectSink final : public ByteSink {
 public:
  Result<> write(ByteView data) override {
    content.insert(content.end(), data.begin(), data.end());
    return {};
  }
  Result<> finish() override {
    finished = true;
    return {};
  }
  Bytes content;
  bool finished = false;
};

}  // namespace coffer::image::testing

#include "guest/detail/layer_cache.h"

#include <unistd.h>

#include <fstream>
#include <vector>

#include "base/log.h"

namespace coffer::guest::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_size = 256U << 10;

// Calls `use` with each piece of the file; false where it cannot be read to its end.
template <class Use>
Result<bool> for_each_piece(const fs::path& file, const Use& use) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return false;
  std::vector<char> piece(piece_size);
  while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())) || stream.gcount() > 0) {
    TRY(use(as_bytes({piece.data(), static_cast<std::size_t>(stream.gcount())})));
  }
  return stream.eof();
}

bool is_intact(const fs::path& file, const image::Digest& digest) {
  crypto::Hasher hasher{digest.algorithm()};
  const auto read = for_each_piece(file, [&](ByteView piece) -> Result<> {
    hasher.update(piece);
    return {};
  });
  return read && *read && image::Digest::from_hash(digest.algorithm(), hasher.finish()) == digest;
}

// Passes bytes on and writes them beside; the file appears under its name only when its digest holds. Trouble with the
// disk costs the copy, never the pull.
class KeepingSink final : public image::ByteSink {
 public:
  KeepingSink(image::ByteSink& next, fs::path file, const image::Digest& digest)
      : next_(next), file_(std::move(file)), digest_(digest), hasher_(digest.algorithm()) {
    temporary_ = file_;
    temporary_ += ".part-" + std::to_string(::getpid());
    stream_.open(temporary_, std::ios::binary | std::ios::trunc);
  }
  ~KeepingSink() override {
    std::error_code ignored;
    if (!kept_) fs::remove(temporary_, ignored);
  }

  Result<> write(ByteView data) override {
    hasher_.update(data);
    stream_.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
    return next_.write(data);
  }

  void keep() {
    stream_.close();
    if (!stream_ || image::Digest::from_hash(digest_.algorithm(), hasher_.finish()) != digest_) return;
    std::error_code failure;
    fs::rename(temporary_, file_, failure);
    kept_ = !failure;
  }

 private:
  image::ByteSink& next_;
  fs::path file_, temporary_;
  const image::Digest& digest_;
  crypto::Hasher hasher_;
  std::ofstream stream_;
  bool kept_ = false;
};

}  // namespace

Result<image::RawManifest> CachedSource::manifest(const std::optional<image::Digest>& digest) {
  const auto key = digest ? digest->text() : std::string{};
  if (const auto known = manifests_.find(key); known != manifests_.end()) return known->second;
  auto fetched = TRY(source_->manifest(digest));
  manifests_.emplace(key, fetched);
  return fetched;
}

// "<hex>.wasm" for plain modules, as upstream's runner names them; "<hex>" for everything else.
fs::path CachedSource::path_of(const image::Descriptor& blob) const {
  const auto kind = image::classify_layer(blob.media_type);
  const bool plain_module = kind && kind->content == image::LayerContent::wasm && !kind->encrypted;
  return directory_ / (std::string{blob.digest.hex()} + (plain_module ? ".wasm" : ""));
}

Result<> CachedSource::read_through(const image::Descriptor& blob, image::ByteSink& sink) {
  std::error_code failure;
  fs::create_directories(directory_, failure);
  if (failure) {
    log::warn("runner.layer_store", "layers cannot be kept",
              {{"directory", directory_.string()}, {"cause", failure.message()}});
    return source_->read_blob(blob, sink);
  }
  KeepingSink keeping{sink, path_of(blob), blob.digest};
  TRY(source_->read_blob(blob, keeping));
  keeping.keep();
  return {};
}

Result<> CachedSource::read_blob(const image::Descriptor& blob, image::ByteSink& sink) {
  if (directory_.empty()) return source_->read_blob(blob, sink);
  const auto file = path_of(blob);
  if (!is_intact(file, blob.digest)) return read_through(blob, sink);
  ++hits_;
  if (!TRY(for_each_piece(file, [&](ByteView piece) { return sink.write(piece); }))) {
    return fail(image::ImageError::io, "the kept layer " + file.string() + " cannot be read");
  }
  return {};
}

}  // namespace coffer::guest::detail

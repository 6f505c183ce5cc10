#include "workload/layer_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/log.h"
#include "codec/base64.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace coffer::workload {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_size = 256U << 10;
constexpr int directory_flags = O_RDONLY | O_DIRECTORY;

// Calls `use` with each piece of the file; false where it cannot be read to its end.
template <class Use>
Result<bool> for_each_piece(int file, const Use& use) {
  if (::lseek(file, 0, SEEK_SET) != 0) return false;
  Bytes piece(piece_size);
  for (;;) {
    const auto got = ::read(file, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    TRY(use(ByteView{piece}.first(static_cast<std::size_t>(got))));
  }
}

// A link, a FIFO or a device in the way is no layer.
FileDescriptor open_layer(int directory, const std::string& name, std::uint64_t size) {
  FileDescriptor file{::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  struct stat status{};
  const bool fits = file && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
                    static_cast<std::uint64_t>(status.st_size) == size;
  return fits ? std::move(file) : FileDescriptor{};
}

bool is_intact(int file, const image::Digest& digest) {
  crypto::Hasher hasher{digest.algorithm()};
  const auto read = for_each_piece(file, [&](ByteView piece) -> Result<> {
    hasher.update(piece);
    return {};
  });
  return read && *read && image::Digest::from_hash(digest.algorithm(), hasher.finish()) == digest;
}

bool write_all(int file, ByteView data) {
  while (!data.empty()) {
    const auto written = ::write(file, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data = data.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

// Passes bytes on and writes them beside; the file appears under its name only when its digest holds. Trouble with the
// disk costs the copy, never the pull.
class KeepingSink final : public image::ByteSink {
 public:
  KeepingSink(image::ByteSink& next, int directory, std::string name, const image::Digest& digest)
      : next_(next),
        directory_(directory),
        name_(std::move(name)),
        temporary_(".part-" + codec::hex_encode(crypto::system_random().bytes(8))),
        digest_(digest),
        hasher_(digest.algorithm()),
        file_(::openat(directory, temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644)),
        good_(file_) {}
  KeepingSink(const KeepingSink&) = delete;
  KeepingSink& operator=(const KeepingSink&) = delete;
  ~KeepingSink() override {
    if (file_ && !kept_) ::unlinkat(directory_, temporary_.c_str(), 0);
  }

  Result<> write(ByteView data) override {
    hasher_.update(data);
    good_ = good_ && write_all(file_.get(), data);
    return next_.write(data);
  }

  void keep() {
    if (!good_ || image::Digest::from_hash(digest_.algorithm(), hasher_.finish()) != digest_) return;
    kept_ = ::renameat(directory_, temporary_.c_str(), directory_, name_.c_str()) == 0;
  }

 private:
  image::ByteSink& next_;
  int directory_;
  std::string name_, temporary_;
  const image::Digest& digest_;
  crypto::Hasher hasher_;
  FileDescriptor file_;
  bool good_;
  bool kept_ = false;
};

// "<hex>.wasm" for plain modules, as upstream's runner names them; "<hex>" for everything else.
std::string file_name_of(const image::Descriptor& blob) {
  const auto kind = image::classify_layer(blob.media_type);
  const bool plain_module = kind && kind->content == image::LayerContent::wasm && !kind->encrypted;
  return std::string{blob.digest.hex()} + (plain_module ? ".wasm" : "");
}

fs::path normal(const fs::path& path) {
  std::error_code failure;
  const auto whole = fs::absolute(path, failure).lexically_normal();
  if (failure) return path;
  return whole.has_filename() ? whole : whole.parent_path();
}

}  // namespace

Result<image::RawManifest> CachedSource::manifest(const std::optional<image::Digest>& digest) {
  const auto key = digest ? digest->text() : std::string{};
  if (const auto known = manifests_.find(key); known != manifests_.end()) return known->second;
  auto fetched = TRY(source_->manifest(digest));
  manifests_.emplace(key, fetched);
  return fetched;
}

CachedSource::CachedSource(std::unique_ptr<image::ImageSource> source, fs::path directory,
                           const std::vector<fs::path>& guest_directories)
    : source_(std::move(source)), directory_(std::move(directory)) {
  if (directory_.empty()) return;
  trusted_ = directory_ = normal(directory_);
  for (const auto& guest : guest_directories) {
    const auto root = normal(guest);
    const auto rest = directory_.lexically_relative(root);
    const bool below = !rest.empty() && *rest.begin() != "..";
    // The outermost: a guest may move whatever lies below it.
    if (below && root.native().size() < trusted_.native().size()) trusted_ = root;
  }
}

// Step by step from the directory that no guest can replace: below it, links out of it are not followed.
FileDescriptor CachedSource::open_directory() const {
  std::error_code failure;
  fs::create_directories(trusted_, failure);
  FileDescriptor at{::open(trusted_.c_str(), directory_flags | O_CLOEXEC)};
  if (trusted_ == directory_) return at;
  for (const auto& part : directory_.lexically_relative(trusted_)) {
    if (!at) break;
    ::mkdirat(at.get(), part.c_str(), 0755);
    at = open_beneath(at.get(), part.c_str(), directory_flags);
  }
  return at;
}

Result<> CachedSource::read_blob(const image::Descriptor& blob, image::ByteSink& sink) {
  if (directory_.empty()) return source_->read_blob(blob, sink);
  const auto directory = open_directory();
  if (!directory) {
    log::warn("runner.layer_store", "layers cannot be kept",
              {{"directory", directory_.string()}, {"cause", std::strerror(errno)}});
    return source_->read_blob(blob, sink);
  }
  const auto name = file_name_of(blob);
  const auto file = open_layer(directory.get(), name, blob.size);
  if (!file || !is_intact(file.get(), blob.digest)) {
    KeepingSink keeping{sink, directory.get(), name, blob.digest};
    TRY(source_->read_blob(blob, keeping));
    keeping.keep();
    return {};
  }
  ++hits_;
  if (!TRY(for_each_piece(file.get(), [&](ByteView piece) { return sink.write(piece); }))) {
    return fail(image::ImageError::io, "the kept layer " + (directory_ / name).string() + " cannot be read");
  }
  return {};
}

}  // namespace coffer::workload

#include "image/layout.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/file_descriptor.h"
#include "image/detail/manifest_type.h"
#include "image/registry.h"

namespace coffer::image {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view tag_annotation = "org.opencontainers.image.ref.name";
constexpr std::string_view layout_file = "oci-layout";
constexpr std::string_view layout_content = R"({"imageLayoutVersion":"1.0.0"})";
constexpr std::size_t piece_size = 256U << 10;

std::unexpected<Error> io_error(std::string_view action, const fs::path& path) {
  return fail(ImageError::io, "could not " + std::string{action} + " " + path.string() + ": " + std::strerror(errno));
}

// A layout from elsewhere may hold links that go round in a circle: what cannot be looked at is not there.
bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

Result<std::string> read_file(const fs::path& path, std::size_t max_size) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return fail(ImageError::bad_layout, path.string() + " is missing, so this is no whole OCI layout");
  if (size > max_size)
    return fail(ImageError::limit_exceeded, path.string() + " has over " + std::to_string(max_size) + " bytes");
  std::ifstream stream{path, std::ios::binary};
  std::string out{std::istreambuf_iterator<char>{stream}, {}};
  if (!stream) return io_error("read", path);
  return out;
}

Result<> write_all(int fd, ByteView data, const fs::path& path) {
  while (!data.empty()) {
    const auto written = ::write(fd, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("write", path);
    data = data.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// Written beside the target and renamed, so that a reader sees the old or the new one.
Result<> replace_file(const fs::path& target, std::string_view content) {
  auto name = (target.parent_path() / ".partial-XXXXXX").string();
  const FileDescriptor fd{::mkostemp(name.data(), O_CLOEXEC)};
  if (!fd) return io_error("write beside", target);
  const auto written = write_all(fd.get(), as_bytes(content), target);
  if (!written || ::fchmod(fd.get(), 0644) != 0 || ::rename(name.c_str(), target.c_str()) != 0) {
    ::unlink(name.c_str());
    return written ? io_error("write", target) : written;
  }
  return {};
}

class FileWriter final : public BlobWriter {
 public:
  FileWriter(fs::path blobs, std::string temporary, FileDescriptor fd)
      : blobs_(std::move(blobs)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}
  ~FileWriter() override {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  Result<> write(ByteView data) override { return write_all(fd_.get(), data, temporary_); }

  Result<> commit(const Digest& digest) override {
    const auto target = blobs_ / crypto::name_of(digest.algorithm()) / digest.hex();
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    if (::fchmod(fd_.get(), 0644) != 0 || ::rename(temporary_.c_str(), target.c_str()) != 0)
      return io_error("store", target);
    temporary_.clear();
    return {};
  }

 private:
  fs::path blobs_;
  std::string temporary_;
  FileDescriptor fd_;
};

bool has_tag(const Descriptor& entry, const std::string& tag) {
  const auto found = entry.annotations.find(std::string{tag_annotation});
  return found != entry.annotations.end() && found->second == tag;
}

}  // namespace

Result<std::unique_ptr<Layout>> Layout::open(LayoutReference reference) {
  const auto text = TRY(read_file(reference.directory / layout_file, 4096));
  const auto document = codec::json::parse(text);
  const auto* version = document ? document->find("imageLayoutVersion") : nullptr;
  if (version == nullptr || !version->is_string() || !version->if_string()->starts_with("1.")) {
    return fail(ImageError::bad_layout, reference.directory.string() + " is not an OCI layout of version 1");
  }
  return std::unique_ptr<Layout>(new Layout(std::move(reference)));
}

Result<std::unique_ptr<Layout>> Layout::create(LayoutReference reference) {
  std::error_code error;
  fs::create_directories(reference.directory / "blobs" / "sha256", error);
  if (error) return fail(ImageError::io, "could not make " + reference.directory.string() + ": " + error.message());
  if (!is_there(reference.directory / layout_file)) {
    TRY(replace_file(reference.directory / layout_file, layout_content));
    TRY(replace_file(reference.directory / "index.json", Index{std::string{media_type::oci_index}, {}}.to_json()));
  }
  return open(std::move(reference));
}

std::string Layout::name() const {
  return "oci:" + reference_.directory.string() + (reference_.tag.empty() ? "" : ":" + reference_.tag);
}

fs::path Layout::blob_path(const Digest& digest) const {
  return reference_.directory / "blobs" / crypto::name_of(digest.algorithm()) / digest.hex();
}

Result<Index> Layout::read_index() const {
  const auto text = TRY(read_file(reference_.directory / "index.json", max_manifest_size));
  return Index::parse(as_bytes(text), media_type::oci_index);
}

Result<Descriptor> Layout::find_tagged() const {
  const auto index = TRY(read_index());
  const auto& entries = index.manifests;
  if (reference_.tag.empty()) {
    if (entries.size() == 1) return entries.front();
    return fail(ImageError::not_found,
                name() + " holds " + std::to_string(entries.size()) + " images; name one as oci:DIRECTORY:TAG");
  }
  const auto found =
      std::ranges::find_if(entries, [&](const Descriptor& entry) { return has_tag(entry, reference_.tag); });
  if (found != entries.end()) return *found;
  return fail(ImageError::not_found,
              name() + " is not in the layout, which has " + std::to_string(entries.size()) + " images");
}

Result<RawManifest> Layout::manifest(const std::optional<Digest>& digest) {
  const auto wanted = digest ? *digest : TRY(find_tagged())
  .digest;
  const auto path = blob_path(wanted);
  if (!is_there(path)) return fail(ImageError::not_found, "the manifest " + wanted.text() + " is not in " + name());
  const auto text = TRY(read_file(path, max_manifest_size));
  TRY(wanted.verify(as_bytes(text), "the manifest of " + name()));
  auto type = TRY(manifest_type(as_bytes(text), ""));
  return RawManifest{std::move(type), to_bytes(text), wanted};
}

Result<RawManifest> Layout::tagged(const std::string& tag) {
  const auto index = TRY(read_index());
  const auto found =
      std::ranges::find_if(index.manifests, [&](const Descriptor& entry) { return has_tag(entry, tag); });
  if (found != index.manifests.end()) return manifest(found->digest);
  return fail(ImageError::not_found, "there is no " + tag + " in " + name());
}

Result<> Layout::read_blob(const Descriptor& blob, ByteSink& sink) {
  const auto path = blob_path(blob.digest);
  const FileDescriptor fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd && errno == ENOENT)
    return fail(ImageError::not_found, "the blob " + blob.digest.text() + " is not in " + name());
  if (!fd) return io_error("open", path);
  Bytes buffer(piece_size);
  while (true) {
    const auto size = ::read(fd.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return io_error("read", path);
    if (size == 0) return {};
    TRY(sink.write(ByteView{buffer}.first(static_cast<std::size_t>(size))));
  }
}

Result<bool> Layout::has_blob(const Digest& digest) {
  return is_there(blob_path(digest));
}

Result<std::unique_ptr<BlobWriter>> Layout::begin_blob() {
  const auto blobs = reference_.directory / "blobs";
  auto temporary = (blobs / ".partial-XXXXXX").string();
  FileDescriptor fd{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (!fd) return io_error("write below", blobs);
  return std::unique_ptr<BlobWriter>{std::make_unique<FileWriter>(blobs, std::move(temporary), std::move(fd))};
}

Result<> Layout::put_manifest(const RawManifest& manifest, bool tagged) {
  const auto descriptor = TRY(put_small_blob(*this, manifest.content, manifest.media_type));
  if (!tagged) return {};
  auto index = TRY(read_index());
  const auto same = [&](const Descriptor& entry) {
    return reference_.tag.empty() ? entry.digest == descriptor.digest : has_tag(entry, reference_.tag);
  };
  std::erase_if(index.manifests, same);
  index.manifests.push_back(descriptor);
  if (!reference_.tag.empty()) {
    index.manifests.back().annotations.emplace(tag_annotation, reference_.tag);
  }
  return replace_file(reference_.directory / "index.json", index.to_json());
}

Result<std::unique_ptr<ImageSource>> open_source(const AnyReference& reference, RegistryOptions options) {
  if (const auto* layout = std::get_if<LayoutReference>(&reference)) {
    return Layout::open(*layout);
  }
  return Registry::open(std::get<ImageReference>(reference), std::move(options));
}

Result<std::unique_ptr<ImageSink>> open_sink(const AnyReference& reference, RegistryOptions options) {
  if (const auto* layout = std::get_if<LayoutReference>(&reference)) {
    return Layout::create(*layout);
  }
  return Registry::open(std::get<ImageReference>(reference), std::move(options));
}

}  // namespace coffer::image

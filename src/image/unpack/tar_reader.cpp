#include "image/unpack/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/stat.h>

#include <algorithm>

namespace coffer::image::unpack {
namespace {

// libarchive converts pax names to the thread's character set, and drops what the "C" locale lacks.
class Utf8Scope {
 public:
  Utf8Scope() : previous_(::uselocale(utf8_locale())) {}
  ~Utf8Scope() { ::uselocale(previous_); }
  Utf8Scope(const Utf8Scope&) = delete;
  Utf8Scope& operator=(const Utf8Scope&) = delete;

 private:
  static locale_t utf8_locale() {
    static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", static_cast<locale_t>(nullptr));
    return locale;
  }
  locale_t previous_;
};

EntryType type_of(archive_entry* entry) {
  if (archive_entry_hardlink(entry) != nullptr) return EntryType::hard_link;
  switch (archive_entry_filetype(entry)) {
    case AE_IFDIR: return EntryType::directory;
    case AE_IFLNK: return EntryType::symlink;
    case AE_IFCHR: return EntryType::character_device;
    case AE_IFBLK: return EntryType::block_device;
    case AE_IFIFO: return EntryType::fifo;
    case AE_IFSOCK: return EntryType::socket;
    default: return EntryType::file;
  }
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string{} : std::string{text};
}

TarEntry describe(archive_entry* entry) {
  const auto type = type_of(entry);
  return {
      .type = type,
      .path = text_or_empty(archive_entry_pathname(entry)),
      .link_target =
          text_or_empty(type == EntryType::hard_link ? archive_entry_hardlink(entry) : archive_entry_symlink(entry)),
      .size =
          type == EntryType::file ? static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(entry), 0)) : 0,
      .mode = static_cast<unsigned>(archive_entry_perm(entry)) & 07777U,
      .uid = static_cast<std::uint32_t>(archive_entry_uid(entry)),
      .gid = static_cast<std::uint32_t>(archive_entry_gid(entry)),
      .mtime = archive_entry_mtime(entry),
      .device = archive_entry_rdev(entry),
  };
}

}  // namespace

struct TarReader::Impl {
  explicit Impl(ChunkSource from) : source(std::move(from)), handle(archive_read_new(), archive_read_free) {}

  static la_ssize_t on_read(archive* handle, void* self, const void** data) {
    auto& impl = *static_cast<Impl*>(self);
    auto chunk = impl.source();
    if (!chunk) {
      impl.source_error = std::move(chunk).error();
      archive_set_error(handle, EIO, "source");
      return -1;
    }
    impl.source_ended = chunk->empty();
    *data = chunk->data();
    return static_cast<la_ssize_t>(chunk->size());
  }

  // The source's own error explains more than libarchive's.
  std::unexpected<Error> error() {
    if (source_error) return fail(*std::move(source_error));
    return fail(ImageError::bad_tar,
                "the tar stream does not read: " + text_or_empty(archive_error_string(handle.get())));
  }

  // Padding after the end mark belongs to the layer, and the stages before this one have to see it pass.
  Result<> drain() {
    while (!source_ended) source_ended = TRY(source())
    .empty();
    return {};
  }

  ChunkSource source;
  std::unique_ptr<archive, decltype(&archive_read_free)> handle;
  std::optional<Error> source_error{};
  bool source_ended = false;
};

Result<std::unique_ptr<TarReader>> TarReader::open(ChunkSource source) {
  const Utf8Scope utf8;
  auto impl = std::make_unique<Impl>(std::move(source));
  auto* handle = impl->handle.get();
  archive_read_support_format_tar(handle);
  archive_read_support_format_empty(handle);
  // Zero blocks between two tars are no end (trap 33).
  archive_read_set_options(handle, "tar:read_concatenated_archives");
  if (archive_read_open(handle, impl.get(), nullptr, Impl::on_read, nullptr) != ARCHIVE_OK) return impl->error();
  return std::unique_ptr<TarReader>(new TarReader(std::move(impl)));
}

TarReader::TarReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TarReader::~TarReader() = default;

Result<std::optional<TarEntry>> TarReader::next() {
  const Utf8Scope utf8;
  archive_entry* entry = nullptr;
  int code = ARCHIVE_RETRY;
  while (code == ARCHIVE_RETRY) code = archive_read_next_header(impl_->handle.get(), &entry);
  if (impl_->source_error) return impl_->error();
  if (code == ARCHIVE_EOF) {
    TRY(impl_->drain());
    return std::optional<TarEntry>{};
  }
  if (code < ARCHIVE_WARN) return impl_->error();
  return std::optional{describe(entry)};
}

Result<> TarReader::read_data(const std::function<Result<>(std::uint64_t offset, ByteView data)>& take) {
  while (true) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const auto code = archive_read_data_block(impl_->handle.get(), &data, &size, &offset);
    if (code == ARCHIVE_EOF) return {};
    if (code < ARCHIVE_WARN) return impl_->error();
    if (size > 0) TRY(take(static_cast<std::uint64_t>(offset), {static_cast<const std::byte*>(data), size}));
  }
}

}  // namespace coffer::image::unpack

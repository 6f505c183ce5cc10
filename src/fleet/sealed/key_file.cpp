#include "fleet/sealed/key_file.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "base/file_descriptor.h"

namespace coffer::fleet::sealed {
namespace {

constexpr off_t max_file = 64 << 10;

std::unexpected<Error> unreadable(const std::filesystem::path& path, const std::string& why) {
  return fail(SealedError::unreadable_key_file, "the file of group keys " + path.string() + " cannot be read: " + why);
}

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

Result<GroupKeys> read_open(const FileDescriptor& file, const struct stat& status, const std::filesystem::path& path) {
  if (!S_ISREG(status.st_mode) || status.st_size > max_file) return unreadable(path, "it is no file of up to 64 KiB");
  if ((status.st_mode & 077U) != 0) {
    return fail(SealedError::exposed_key_file, "the file of group keys " + path.string() +
                                                   " may be read by others than its owner; chmod 600 it, and rotate "
                                                   "the keys if somebody may have done so");
  }
  SecretBytes content(static_cast<std::size_t>(status.st_size));
  std::size_t filled = 0;
  while (filled < content.size()) {
    const auto got = ::read(file.get(), content.mutable_expose().data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return unreadable(path, got == 0 ? "it was cut meanwhile" : std::strerror(errno));
    filled += static_cast<std::size_t>(got);
  }
  return GroupKeys::parse(content.expose());
}

}  // namespace

KeyFile::Stamp KeyFile::stamp_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

Result<std::optional<GroupKeys>> KeyFile::read_if_changed() {
  const FileDescriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) {
    const std::string why = std::strerror(errno);
    // Said once, not at each look.
    if (last_ == Stamp{}) return std::optional<GroupKeys>{};
    last_ = Stamp{};
    return unreadable(path_, why);
  }
  const auto stamp = stamp_of(status);
  if (last_ == stamp) return std::optional<GroupKeys>{};
  last_ = stamp;
  auto keys = TRY(read_open(file, status, path_));
  return std::optional{std::move(keys)};
}

Result<GroupKeys> read_key_file(const std::filesystem::path& path) {
  auto keys = TRY(KeyFile{path}.read_if_changed());
  return std::move(*keys);
}

}  // namespace coffer::fleet::sealed

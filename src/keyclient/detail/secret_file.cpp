#include "keyclient/detail/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/file_descriptor.h"
#include "keyclient/resource_source.h"

namespace coffer::keyclient::detail {
namespace {

std::unexpected<Error> unreadable(const std::filesystem::path& file, std::string_view why) {
  return fail(KeyClientError::source_unreadable, "key file " + file.string() + " cannot be read: " + std::string{why});
}

// A name that leads nowhere is no error: another layout or source may have the key.
bool means_absent(int error) {
  return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG;
}

Result<SecretBytes> read_all(int fd, std::size_t size, const std::filesystem::path& file) {
  SecretBytes content(size);
  const auto target = content.mutable_expose();
  std::size_t done = 0;
  while (done < size) {
    const auto got = ::read(fd, target.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(file, std::strerror(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  content.truncate(done);
  return content;
}

Result<std::optional<SecretBytes>> read_open(const FileDescriptor& handle, const std::filesystem::path& file) {
  if (!handle) {
    if (means_absent(errno)) return std::nullopt;
    return unreadable(file, std::strerror(errno));
  }
  struct stat status{};
  if (::fstat(handle.get(), &status) != 0) return unreadable(file, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_resource_size) {
    return unreadable(
        file, "its " + std::to_string(size) + " bytes are over the limit of " + std::to_string(max_resource_size));
  }
  return TRY(read_all(handle.get(), size, file));
}

// O_NONBLOCK: a FIFO in the way must not stop the program.
constexpr int open_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

}  // namespace

Result<std::optional<SecretBytes>> read_secret_file(const std::filesystem::path& file) {
  return read_open(FileDescriptor{::open(file.c_str(), open_flags)}, file);
}

Result<std::optional<SecretBytes>> read_secret_beneath(const std::filesystem::path& directory,
                                                       const std::filesystem::path& name) {
  const FileDescriptor root{::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!root) return unreadable(directory, std::strerror(errno));
  return read_open(open_beneath(root.get(), name.c_str(), open_flags), directory / name);
}

}  // namespace coffer::keyclient::detail

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "apps/coffer/context.h"
#include "apps/coffer/home.h"
#include "base/file_descriptor.h"

namespace coffer::cli {
namespace {

std::unexpected<Error> file_error(const std::filesystem::path& file, std::string_view action) {
  return fail(CliError::file, "cannot " + std::string{action} + " " + file.string() + ": " + std::strerror(errno));
}

// Reads into memory that is wiped, growing by doubling; "-" is standard input.
Result<SecretBytes> read_descriptor(int fd, const std::filesystem::path& file, std::size_t max_size) {
  SecretBytes buffer(64U << 10);
  std::size_t filled = 0;
  for (;;) {
    if (filled == buffer.size()) {
      if (filled > max_size) {
        return fail(CliError::file, file.string() + " is over the limit of " + std::to_string(max_size) + " bytes");
      }
      SecretBytes larger(buffer.size() * 2);
      std::memcpy(larger.mutable_expose().data(), buffer.expose().data(), filled);
      buffer = std::move(larger);
    }
    const auto got = ::read(fd, buffer.mutable_expose().data() + filled, buffer.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(file, "read");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  buffer.truncate(filled);
  return buffer;
}

}  // namespace

Result<SecretBytes> read_secret_file(const std::filesystem::path& file, std::size_t max_size) {
  if (file == "-") return read_descriptor(STDIN_FILENO, "standard input", max_size);
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return file_error(file, "open");
  return read_descriptor(fd.get(), file, max_size);
}

Result<Bytes> read_file(const std::filesystem::path& file, std::size_t max_size) {
  const auto content = TRY(read_secret_file(file, max_size));
  return to_bytes(content.expose());
}

Result<> write_file(const std::filesystem::path& file, ByteView content, unsigned mode) {
  const bool secret = (mode & 077) == 0;
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (secret ? O_EXCL : O_TRUNC);
  const FileDescriptor fd(::open(file.c_str(), flags, mode));
  if (!fd) return file_error(file, "create");
  while (!content.empty()) {
    const auto put = ::write(fd.get(), content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return file_error(file, "write");
    content = content.subspan(static_cast<std::size_t>(put));
  }
  if (::fsync(fd.get()) != 0) return file_error(file, "write");
  return {};
}

}  // namespace coffer::cli

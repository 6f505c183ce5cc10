#include "workload/compiled_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file_descriptor.h"
#include "base/log.h"
#include "crypto/random.h"
#include "workload/user_directory.h"

namespace coffer::workload {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_size = 32;

std::unexpected<Error> unusable(const fs::path& file, std::string_view why) {
  return fail(WorkloadError::cache_key,
              "the key of the compiled-module cache, " + file.string() + ", " + std::string{why});
}

// Whoever else could write the key could have machine code of his choice run: the file must be this user's alone.
Result<SecretBytes> read_key(const FileDescriptor& fd, const fs::path& file) {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return unusable(file, std::strerror(errno));
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
    return unusable(file, "must be a file of this user with mode 0600");
  }
  SecretBytes key(key_size);
  const auto got = ::read(fd.get(), key.mutable_expose().data(), key.size());
  if (got != static_cast<ssize_t>(key_size) || status.st_size != static_cast<off_t>(key_size)) {
    return unusable(file, "has " + std::to_string(status.st_size) + " bytes, expected " + std::to_string(key_size));
  }
  return key;
}

// Written beside and linked into place, so that two first runs agree on one key.
Result<> make_key(const fs::path& file) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  const auto temporary = file.string() + "." + std::to_string(::getpid());
  const FileDescriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return unusable(file, std::strerror(errno));
  const auto key = crypto::system_random().secret(key_size);
  const bool written = ::write(fd.get(), key.expose().data(), key.size()) == static_cast<ssize_t>(key_size);
  const int linked = written ? ::link(temporary.c_str(), file.c_str()) : -1;
  const int reason = errno;
  ::unlink(temporary.c_str());
  if (linked != 0 && reason != EEXIST) return unusable(file, std::strerror(reason));
  return {};
}

Result<SecretBytes> load_key(const fs::path& file) {
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  if (const FileDescriptor fd(::open(file.c_str(), flags)); fd) return read_key(fd, file);
  if (errno != ENOENT) return unusable(file, std::strerror(errno));
  TRY(make_key(file));
  const FileDescriptor fd(::open(file.c_str(), flags));
  if (!fd) return unusable(file, std::strerror(errno));
  return read_key(fd, file);
}

}  // namespace

std::optional<CompiledCache> user_compiled_cache() {
  const auto cache = user_cache_directory();
  const auto state = user_state_directory();
  if (!cache || !state) return std::nullopt;
  return CompiledCache{.directory = *cache / "coffer-run/modules", .key_file = *state / "coffer-run/module-cache.key"};
}

std::optional<wasm::DiskCache> open_compiled_cache(const CompiledCache& cache) {
  auto key = load_key(cache.key_file);
  std::error_code error;
  if (key) fs::create_directories(cache.directory.parent_path(), error);
  if (key && !error) return wasm::DiskCache{.directory = cache.directory, .key = std::move(*key)};
  log::warn("runner.no_compiled_cache", key ? error.message() : key.error().message,
            {{"directory", cache.directory.string()}});
  return std::nullopt;
}

}  // namespace coffer::workload

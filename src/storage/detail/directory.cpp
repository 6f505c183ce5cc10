#include "storage/detail/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace coffer::storage::detail {
namespace {

// '~' is in no key, so this is never one; one name is enough under the lock, and what a crash left is replaced.
constexpr const char* unfinished = ".coffer~new";

bool means_absent(int error) {
  return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG;
}

std::optional<mode_t> type_of(int fd) {
  struct stat status{};
  if (fd < 0 || ::fstat(fd, &status) != 0) return std::nullopt;
  return status.st_mode & S_IFMT;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string last_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool write_all(int fd, ByteView content) {
  while (!content.empty()) {
    const auto written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

// errno tells why not.
bool write_unfinished(int parent, ByteView content) {
  ::unlinkat(parent, unfinished, 0);
  const FileDescriptor file{::openat(parent, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  return file && write_all(file.get(), content) && ::fsync(file.get()) == 0;
}

}  // namespace

std::unexpected<Error> Directory::failed(std::string_view action, const std::string& path, int error) const {
  const char* why = error == EXDEV ? "a symbolic link leads out of the directory" : std::strerror(error);
  const auto code = error == ENAMETOOLONG ? StorageError::bad_key : StorageError::unavailable;
  return fail(code, name_of(path) + " cannot be " + std::string{action} + ": " + why);
}

Result<Directory> Directory::open(const std::filesystem::path& path) {
  const auto unusable = [&](std::string_view why) {
    return fail(StorageError::unavailable, "the directory " + path.string() + " cannot be used: " + std::string{why});
  };
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return unusable(std::strerror(errno));
  FileDescriptor root{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!root) return unusable(std::strerror(errno));
  if (!open_beneath(root.get(), ".", O_PATH)) return unusable("this kernel has no openat2, which came with Linux 5.6");
  return Directory(path, std::move(root));
}

Result<Directory::WriteLock> Directory::lock() const {
  while (::flock(root_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return failed("locked", ".", errno);
  }
  return WriteLock(root_.get());
}

Directory::WriteLock::~WriteLock() {
  if (directory_ >= 0) ::flock(directory_, LOCK_UN);
}

bool Directory::is_file(const std::string& path) const {
  const auto file = open_beneath(root_.get(), path.c_str(), O_PATH);
  // A link that leads out counts as there: reading it then says what is wrong.
  return file ? type_of(file.get()) == S_IFREG : !means_absent(errno);
}

Result<std::optional<Bytes>> Directory::read(const std::string& path) const {
  // O_NONBLOCK: opening a FIFO must not wait for its other end.
  const auto file = open_beneath(root_.get(), path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file && means_absent(errno)) return std::nullopt;
  if (!file) return failed("read", path, errno);
  if (type_of(file.get()) != S_IFREG) return std::nullopt;
  Bytes content;
  while (true) {
    constexpr std::size_t step = 1U << 16;
    const auto filled = content.size();
    content.resize(filled + step);
    const auto got = ::read(file.get(), content.data() + filled, step);
    content.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", path, errno);
    if (got == 0) return content;
    if (content.size() > max_value_size) {
      return fail(StorageError::too_large, name_of(path) + " is over the limit of 64 MiB");
    }
  }
}

Result<FileDescriptor> Directory::make_parent(const std::string& path) const {
  const auto parent = parent_of(path);
  for (auto end = parent.find('/');; end = parent.find('/', end + 1)) {
    const auto folder = parent.substr(0, end);
    if (folder != ".") {
      const auto above = open_beneath(root_.get(), parent_of(folder).c_str(), O_RDONLY | O_DIRECTORY);
      const bool made = above && ::mkdirat(above.get(), last_of(folder).c_str(), 0700) == 0;
      if (made) ::fsync(above.get());
      if (!made && errno != EEXIST) return failed("made", folder, errno);
    }
    if (end == std::string::npos) break;
  }
  auto opened = open_beneath(root_.get(), parent.c_str(), O_RDONLY | O_DIRECTORY);
  if (!opened) return failed("opened", parent, errno);
  return opened;
}

Result<> Directory::replace(const std::string& path, ByteView content) const {
  const auto parent = TRY(make_parent(path));
  if (write_unfinished(parent.get(), content) &&
      ::renameat(parent.get(), unfinished, parent.get(), last_of(path).c_str()) == 0 && ::fsync(parent.get()) == 0) {
    return {};
  }
  const int error = errno;
  ::unlinkat(parent.get(), unfinished, 0);
  return failed("written", path, error);
}

Result<> Directory::remove(const std::string& path) const {
  const auto parent = open_beneath(root_.get(), parent_of(path).c_str(), O_RDONLY | O_DIRECTORY);
  if (!parent || ::unlinkat(parent.get(), last_of(path).c_str(), 0) != 0 || ::fsync(parent.get()) != 0) {
    return failed("removed", path, errno);
  }
  return {};
}

Result<std::vector<Directory::Entry>> Directory::entries(const std::string& path) const {
  std::vector<Entry> found;
  auto folder = open_beneath(root_.get(), path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!folder && (means_absent(errno) || errno == ELOOP)) return found;
  const int copy = folder ? ::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0) : -1;
  const std::unique_ptr<DIR, decltype(&::closedir)> stream{copy >= 0 ? ::fdopendir(copy) : nullptr, ::closedir};
  if (!stream) return failed("listed", path, errno);
  while (const auto* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    // From the root, so that a link may lead anywhere below that.
    const auto full = std::filesystem::path{path} / name;
    const auto type = type_of(open_beneath(root_.get(), full.c_str(), O_PATH).get());
    if (type == S_IFREG || type == S_IFDIR) found.push_back({name, type == S_IFDIR});
  }
  return found;
}

}  // namespace coffer::storage::detail

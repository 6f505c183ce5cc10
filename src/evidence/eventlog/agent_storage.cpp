#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/file_descriptor.h"
#include "evidence/eventlog/agent_event_log.h"

namespace coffer::evidence::eventlog {

namespace fs = std::filesystem;

namespace {

constexpr mode_t file_mode = 0600;

std::unexpected<Error> failed(std::string_view what, const fs::path& file) {
  return fail(EventLogError::storage_failed,
              "cannot " + std::string{what} + " " + file.string() + ": " + std::strerror(errno));
}

Result<> write_at(int fd, ByteView data, std::size_t offset, const fs::path& file) {
  while (!data.empty()) {
    const auto count = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failed("write", file);
    data = data.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::size_t>(count);
  }
  return {};
}

// Makes creation, renaming and removal of a file durable.
Result<> sync_directory(const fs::path& file) {
  const FileDescriptor directory{::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory || ::fsync(directory.get()) != 0) return failed("sync the directory of", file);
  return {};
}

Result<> make_directory(const fs::path& file) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (!error) return {};
  return fail(EventLogError::storage_failed,
              "cannot make directory " + file.parent_path().string() + ": " + error.message());
}

fs::path lock_file(const AgentLogPaths& paths) {
  return fs::path{paths.wal}.concat(".lock");
}

// Waits for its turn. The lock goes with the last copy of the answer, or with the process.
Result<std::shared_ptr<const void>> locked(FileDescriptor descriptor, int how, const fs::path& path) {
  auto file = std::make_shared<FileDescriptor>(std::move(descriptor));
  while (::flock(file->get(), how) != 0) {
    if (errno != EINTR) return failed("lock", path);
  }
  return file;
}

class FileStorage final : public AgentLogStorage {
 public:
  explicit FileStorage(AgentLogPaths paths) : paths_(std::move(paths)) {}

  Result<Bytes> read_log() override {
    return TRY(read_log_file(paths_.log))
    .value_or(Bytes{});
  }

  Result<> append_log(std::size_t size, ByteView entry) override {
    TRY(make_directory(paths_.log));
    const FileDescriptor file{::open(paths_.log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, file_mode)};
    if (!file) return failed("open", paths_.log);
    if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) return failed("cut", paths_.log);
    TRY(write_at(file.get(), entry, size, paths_.log));
    if (::fsync(file.get()) != 0) return failed("sync", paths_.log);
    return sync_directory(paths_.log);
  }

  Result<std::optional<Bytes>> read_wal() override { return read_log_file(paths_.wal); }

  // Renamed into place, so that there is never half an entry.
  Result<> write_wal(ByteView entry) override {
    TRY(make_directory(paths_.wal));
    const auto temporary = fs::path{paths_.wal}.concat(".new");
    {
      const FileDescriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode)};
      if (!file) return failed("open", temporary);
      TRY(write_at(file.get(), entry, 0, temporary));
      if (::fsync(file.get()) != 0) return failed("sync", temporary);
    }
    if (::rename(temporary.c_str(), paths_.wal.c_str()) != 0) return failed("rename", temporary);
    return sync_directory(paths_.wal);
  }

  Result<> remove_wal() override {
    if (::unlink(paths_.wal.c_str()) == 0) return sync_directory(paths_.wal);
    if (errno == ENOENT) return {};
    return failed("remove", paths_.wal);
  }

  Result<std::shared_ptr<const void>> lock() override {
    const auto path = lock_file(paths_);
    TRY(make_directory(path));
    FileDescriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, file_mode)};
    if (!file) return failed("open", path);
    return locked(std::move(file), LOCK_EX, path);
  }

 private:
  AgentLogPaths paths_;
};

}  // namespace

AgentLogPaths AgentLogPaths::from_environment(const fs::path& root) {
  AgentLogPaths out;
  const char* log = std::getenv("AAEL_PATH");
  if (log != nullptr && *log != '\0') out.log = log;
  if (root == "/") return out;
  return {root / out.log.relative_path(), root / out.wal.relative_path()};
}

std::unique_ptr<AgentLogStorage> file_storage(AgentLogPaths paths) {
  return std::make_unique<FileStorage>(std::move(paths));
}

Result<std::shared_ptr<const void>> hold_agent_log(const AgentLogPaths& paths) {
  const auto path = lock_file(paths);
  FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file) return locked(std::move(file), LOCK_SH, path);
  if (errno == ENOENT || errno == ENOTDIR) return nullptr;
  return failed("open", path);
}

Result<std::optional<Bytes>> read_log_file(const fs::path& file) {
  const FileDescriptor fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return failed("open", file);
  }
  constexpr std::size_t step = 64U << 10;
  Bytes out;
  while (out.size() <= max_log_size) {
    const auto before = out.size();
    out.resize(before + step);
    const auto count = ::read(fd.get(), out.data() + before, step);
    if (count < 0 && errno != EINTR) return failed("read", file);
    out.resize(before + static_cast<std::size_t>(count < 0 ? 0 : count));
    if (count == 0) return out;
  }
  return fail(EventLogError::too_large,
              file.string() + " has more than " + std::to_string(max_log_size) + " bytes, which no event log has");
}

}  // namespace coffer::evidence::eventlog

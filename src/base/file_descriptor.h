// Owned file descriptors, and opening below a directory without leaving it.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <utility>

namespace coffer {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// openat(2) that never leaves `directory`: ".." above it, absolute paths and links that lead out fail with EXDEV
// (openat2, RESOLVE_BENEATH). Empty with errno set where it fails; O_CLOEXEC is added.
FileDescriptor open_beneath(int directory, const char* path, int flags, mode_t mode = 0);

}  // namespace coffer

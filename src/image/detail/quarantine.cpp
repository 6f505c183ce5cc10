#include "image/detail/quarantine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>

#include "base/file_descriptor.h"
#include "image/unpack/beneath.h"

namespace coffer::image {

Result<Quarantine> Quarantine::create(const std::filesystem::path& destination) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(destination, error).lexically_normal();
  if (error) return fail(ImageError::io, "no place for " + destination.string() + ": " + error.message());
  const auto final_path = absolute.has_filename() ? absolute : absolute.parent_path();
  if (std::filesystem::exists(std::filesystem::symlink_status(final_path, error))) {
    return fail(ImageError::io, "the destination " + final_path.string() + " exists already");
  }
  std::filesystem::create_directories(final_path.parent_path(), error);
  auto name = (final_path.parent_path() / ("." + final_path.filename().string() + ".partial-XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    return fail(ImageError::io,
                "could not make a directory beside " + final_path.string() + ": " + std::strerror(errno));
  }
  return Quarantine{name, final_path};
}

Quarantine::Quarantine(Quarantine&& other) noexcept
    : path_(std::exchange(other.path_, {})), destination_(std::move(other.destination_)) {}

Quarantine::~Quarantine() {
  if (path_.empty()) return;
  const FileDescriptor parent{::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (parent) static_cast<void>(unpack::remove_tree(parent.get(), path_.filename().string()));
}

Result<> Quarantine::publish() {
  // RENAME_NOREPLACE: somebody may have made the destination meanwhile.
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, destination_.c_str(), RENAME_NOREPLACE) != 0) {
    return fail(ImageError::io,
                "could not move the unpacked image to " + destination_.string() + ": " + std::strerror(errno));
  }
  path_.clear();
  return {};
}

}  // namespace coffer::image

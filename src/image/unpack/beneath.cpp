#include "image/unpack/beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace coffer::image::unpack {
std::unexpected<Error> system_failure(int error_number, std::string_view action, std::string_view path) {
  const auto text = "could not " + std::string{action} + " \"" + std::string{path.substr(0, 300)} + "\": ";
  switch (error_number) {
    case EXDEV: return fail(ImageError::link_escape, text + "a link on the way leads out of the tree");
    case ELOOP: return fail(ImageError::link_escape, text + "its links go round in a circle");
    case ENAMETOOLONG: return fail(ImageError::bad_path, text + "its path is too long");
    case ENOTDIR: return fail(ImageError::bad_tar, text + "a file stands where a directory is needed");
    default: return fail(ImageError::io, text + std::strerror(error_number));
  }
}

Result<FileDescriptor> open_beneath(int root, const std::string& path, int flags) {
  auto fd = coffer::open_beneath(root, path.empty() ? "." : path.c_str(), flags);
  if (!fd) return system_failure(errno, "open", path);
  return fd;
}

Result<FileDescriptor> open_beneath_if_exists(int root, const std::string& path, int flags) {
  auto fd = coffer::open_beneath(root, path.empty() ? "." : path.c_str(), flags);
  if (!fd && errno != ENOENT) return system_failure(errno, "open", path);
  return fd;
}

Result<std::vector<std::string>> list_names(int directory) {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return system_failure(errno, "list", "a directory");
  const std::unique_ptr<DIR, decltype(&::closedir)> stream{::fdopendir(copy), ::closedir};
  std::vector<std::string> out;
  while (const auto* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") out.emplace_back(name);
  }
  return out;
}

Result<> remove_tree(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM && errno != EACCES) return system_failure(errno, "remove", name);
  {
    const FileDescriptor directory{::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!directory) return system_failure(errno, "remove", name);
    ::fchmod(directory.get(), 0700);
    for (const auto& child : TRY(list_names(directory.get()))) TRY(remove_tree(directory.get(), child));
  }
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0) return system_failure(errno, "remove", name);
  return {};
}

}  // namespace coffer::image::unpack

#include "image/unpack/tree_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cerrno>

#include "image/unpack/beneath.h"
#include "image/unpack/entry_path.h"

namespace coffer::image::unpack {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY;
constexpr unsigned set_id_bits = 06000;

std::array<timespec, 2> times_of(const TarEntry& entry) {
  const timespec time{.tv_sec = entry.mtime, .tv_nsec = 0};
  return {time, time};
}

mode_t device_type(EntryType type) {
  switch (type) {
    case EntryType::character_device: return S_IFCHR;
    case EntryType::block_device: return S_IFBLK;
    case EntryType::socket: return S_IFSOCK;
    default: return S_IFIFO;
  }
}

Result<> write_at(int fd, ByteView data, std::uint64_t offset, const std::string& path) {
  while (!data.empty()) {
    const auto written = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure(errno, "write", path);
    offset += static_cast<std::uint64_t>(written);
    data = data.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<TreeWriter>> TreeWriter::open(const std::filesystem::path& root, TreeOptions options) {
  FileDescriptor fd{::open(root.c_str(), directory_flags | O_CLOEXEC)};
  if (!fd) return system_failure(errno, "open", root.string());
  return std::unique_ptr<TreeWriter>(new TreeWriter(std::move(fd), options));
}

void TreeWriter::note_made(std::string_view path) {
  while (!path.empty() && made_in_layer_.emplace(path).second) path = parent_of(path);
}

void TreeWriter::forget_parent() {
  parent_path_.clear();
  parent_ = FileDescriptor{};
}

Result<FileDescriptor> TreeWriter::make_directories(std::string_view directory) {
  const std::string path{directory};
  auto found = TRY(open_beneath_if_exists(root_.get(), path, directory_flags));
  if (found) return found;
  const auto above = TRY(make_directories(parent_of(directory)));
  const std::string name{name_of(directory)};
  if (::mkdirat(above.get(), name.c_str(), 0755) != 0 && errno != EEXIST) return system_failure(errno, "make", path);
  return open_beneath(root_.get(), path, directory_flags);
}

Result<int> TreeWriter::open_parent(std::string_view directory) {
  if (directory.empty()) return root_.get();
  if (!parent_ || parent_path_ != directory) {
    parent_ = TRY(make_directories(directory));
    parent_path_ = directory;
  }
  return parent_.get();
}

Result<TreeWriter::Parent> TreeWriter::prepare(const std::string& path) {
  if (path.empty()) return fail(ImageError::bad_path, "the archive makes its root something else than a directory");
  const int directory = TRY(open_parent(parent_of(path)));
  note_made(path);
  return Parent{directory, std::string{name_of(path)}};
}

Result<> TreeWriter::make_way(const Parent& parent, const std::string& path, bool keep_directory) {
  struct stat status{};
  if (::fstatat(parent.directory, parent.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Result<>{} : system_failure(errno, "look at", path);
  }
  if (keep_directory && S_ISDIR(status.st_mode)) return {};
  TRY(remove_tree(parent.directory, parent.name));
  // Whatever path led to the kept parent may lead elsewhere now. Its descriptor stays open for the caller.
  parent_path_.clear();
  return {};
}

Result<> TreeWriter::set_owner(const Parent& parent, const TarEntry& entry) const {
  if (!options_.restore_owner) return {};
  if (::fchownat(parent.directory, parent.name.c_str(), entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) == 0) return {};
  return system_failure(errno, "change the owner of", entry.path);
}

Result<> TreeWriter::add_directory(const std::string& path, const TarEntry& entry) {
  if (!path.empty()) {
    const auto parent = TRY(prepare(path));
    TRY(make_way(parent, path, true));
    if (::mkdirat(parent.directory, parent.name.c_str(), 0700) != 0 && errno != EEXIST) {
      return system_failure(errno, "make", path);
    }
    TRY(set_owner(parent, entry));
  }
  directories_.emplace_back(path, entry);
  return {};
}

Result<> TreeWriter::add_file(const std::string& path, const TarEntry& entry, const Data& data) {
  const auto parent = TRY(prepare(path));
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int fd = ::openat(parent.directory, parent.name.c_str(), flags, 0600);
  if (fd < 0 && errno == EEXIST) {
    TRY(make_way(parent, path, false));
    fd = ::openat(parent.directory, parent.name.c_str(), flags, 0600);
  }
  if (fd < 0) return system_failure(errno, "make", path);
  const FileDescriptor file{fd};
  std::uint64_t end = 0;
  TRY(data([&](std::uint64_t offset, ByteView piece) {
    end = offset + piece.size();
    return write_at(fd, piece, offset, path);
  }));
  // A sparse file may end in a gap.
  if (end != entry.size && ::ftruncate(fd, static_cast<off_t>(entry.size)) != 0)
    return system_failure(errno, "write", path);
  TRY(set_owner(parent, entry));
  const auto mode = options_.restore_owner ? entry.mode : entry.mode & ~set_id_bits;
  const auto times = times_of(entry);
  if (::fchmod(fd, mode) != 0 || ::futimens(fd, times.data()) != 0)
    return system_failure(errno, "set the mode of", path);
  return {};
}

Result<> TreeWriter::add_symlink(const std::string& path, const TarEntry& entry) {
  if (entry.link_target.empty()) return fail(ImageError::bad_tar, "the symbolic link " + path + " has no target");
  const auto parent = TRY(prepare(path));
  TRY(make_way(parent, path, false));
  // Any target is fine to write down: nothing here ever follows it out.
  if (::symlinkat(entry.link_target.c_str(), parent.directory, parent.name.c_str()) != 0) {
    return system_failure(errno, "make the link", path);
  }
  const auto times = times_of(entry);
  ::utimensat(parent.directory, parent.name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
  return set_owner(parent, entry);
}

Result<> TreeWriter::add_hard_link(const std::string& path, const std::string& target) {
  if (path == target) return {};
  const auto from = TRY(open_beneath(root_.get(), std::string{parent_of(target)}, O_PATH | O_DIRECTORY));
  const auto parent = TRY(prepare(path));
  TRY(make_way(parent, path, false));
  if (::linkat(from.get(), std::string{name_of(target)}.c_str(), parent.directory, parent.name.c_str(), 0) == 0)
    return {};
  if (errno == ENOENT)
    return fail(ImageError::bad_tar, "the hard link " + path + " leads to " + target + ", which is not there");
  if (errno == EPERM) return fail(ImageError::bad_tar, "the hard link " + path + " leads to the directory " + target);
  return system_failure(errno, "link", path);
}

Result<> TreeWriter::add_device(const std::string& path, const TarEntry& entry) {
  const auto parent = TRY(prepare(path));
  TRY(make_way(parent, path, false));
  if (::mknodat(parent.directory, parent.name.c_str(), device_type(entry.type) | (entry.mode & 0777U), entry.device) !=
      0) {
    return system_failure(errno, "make the device", path);
  }
  return set_owner(parent, entry);
}

Result<> TreeWriter::remove_lower(int parent, const std::string& name, const std::string& path) {
  if (!made_in_layer_.contains(path)) return remove_tree(parent, name);
  const FileDescriptor directory{::openat(parent, name.c_str(), directory_flags | O_NOFOLLOW | O_CLOEXEC)};
  if (!directory) return {};
  for (const auto& child : TRY(list_names(directory.get()))) {
    TRY(remove_lower(directory.get(), child, path + "/" + child));
  }
  return {};
}

Result<> TreeWriter::remove_from_lower_layers(const std::string& path) {
  forget_parent();
  const auto parent = TRY(open_beneath_if_exists(root_.get(), std::string{parent_of(path)}, directory_flags));
  return parent ? remove_lower(parent.get(), std::string{name_of(path)}, path) : Result<>{};
}

Result<> TreeWriter::make_opaque(const std::string& directory) {
  forget_parent();
  const auto opened = TRY(open_beneath_if_exists(root_.get(), directory, directory_flags));
  if (!opened) return {};
  for (const auto& child : TRY(list_names(opened.get()))) {
    TRY(remove_lower(opened.get(), child, directory.empty() ? child : directory + "/" + child));
  }
  return {};
}

Result<> TreeWriter::finish() {
  forget_parent();
  // Children before parents, so that a parent without write permission does not stand in the way.
  for (auto item = directories_.rbegin(); item != directories_.rend(); ++item) {
    const auto& [path, entry] = *item;
    const auto opened = open_beneath(root_.get(), path, directory_flags | O_NOFOLLOW);
    if (!opened) continue;  // a later layer took it away
    const auto mode = options_.restore_owner ? entry.mode : entry.mode & ~set_id_bits;
    const auto times = times_of(entry);
    if (::fchmod(opened->get(), mode) != 0 || ::futimens(opened->get(), times.data()) != 0) {
      return system_failure(errno, "set the mode of", path);
    }
  }
  directories_.clear();
  return {};
}

}  // namespace coffer::image::unpack

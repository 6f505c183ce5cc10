#include "vm/tree.h"

#include <sys/stat.h>

namespace coffer::vm {

namespace {

constexpr std::size_t longest_path = 4095;

Result<> check_path(const std::string& path) {
  const auto bad = [&](std::string_view why) {
    return fail(VmError::bad_path, "\"" + path + "\" " + std::string{why});
  };
  if (path.empty() || path.front() == '/' || path.back() == '/') return bad("is no relative path");
  if (path.size() > longest_path || path.find('\0') != std::string::npos)
    return bad("is too long or holds a zero byte");
  for (std::size_t start = 0; start <= path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    const auto part = path.substr(start, end - start);
    if (part.empty() || part == "." || part == "..") return bad("has an empty part, \".\" or \"..\"");
    start = end + 1;
  }
  return {};
}

}  // namespace

Result<> FileTree::add_directory(const std::string& path) {
  return add(path, {.mode = S_IFDIR | 0755U});
}

Result<> FileTree::add_file(const std::string& path, ByteView content, bool executable) {
  return add(path, {.mode = S_IFREG | (executable ? 0755U : 0644U), .content = to_bytes(content)});
}

Result<> FileTree::add_link(const std::string& path, const std::string& target) {
  return add(path, {.mode = S_IFLNK | 0777U, .content = to_bytes(target)});
}

Result<> FileTree::add_character_device(const std::string& path, unsigned major, unsigned minor) {
  return add(path, {.mode = S_IFCHR | 0600U, .content = {}, .device_major = major, .device_minor = minor});
}

Result<> FileTree::add(const std::string& path, Node node) {
  TRY(check_path(path));
  const auto slash = path.rfind('/');
  if (slash != std::string::npos) TRY(add_directory(path.substr(0, slash)));
  const auto [place, added] = nodes_.try_emplace(path, node);
  if (added) return {};
  if ((place->second.mode & S_IFMT) != (node.mode & S_IFMT)) {
    return fail(VmError::bad_path, "\"" + path + "\" is in the tree already, as something else");
  }
  place->second = std::move(node);
  return {};
}

}  // namespace coffer::vm

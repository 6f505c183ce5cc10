// The files of an initramfs, in memory, ordered by their path.
#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "vm/error.h"

namespace coffer::vm {

struct Node {
  unsigned mode = 0;  // type and permissions as in stat(2)
  Bytes content{};    // of a file; of a symbolic link its target
  unsigned device_major = 0, device_minor = 0;
};

// Paths are relative, "usr/bin/busybox"; bad_path for empty, ".." or absolute ones. Missing directories above are made.
// What is already there is replaced by the same kind and refused otherwise.
class FileTree {
 public:
  Result<> add_directory(const std::string& path);
  Result<> add_file(const std::string& path, ByteView content, bool executable = false);
  Result<> add_link(const std::string& path, const std::string& target);
  Result<> add_character_device(const std::string& path, unsigned major, unsigned minor);

  bool contains(const std::string& path) const { return nodes_.contains(path); }
  const std::map<std::string, Node>& nodes() const { return nodes_; }

 private:
  Result<> add(const std::string& path, Node node);
  std::map<std::string, Node> nodes_;
};

}  // namespace coffer::vm

// Files, directories and links under one directory and never beside it: each path is resolved by the kernel with
// openat2(RESOLVE_BENEATH), so that no link inside of the tree leads out, whoever races.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"
#include "image/unpack/tar_reader.h"

namespace coffer::image::unpack {

struct TreeOptions {
  bool restore_owner = false;  // otherwise everything belongs to us, and set-id bits are dropped
};

class TreeWriter {
 public:
  static Result<std::unique_ptr<TreeWriter>> open(const std::filesystem::path& root, TreeOptions options);

  // A new layer: whiteouts remove what earlier layers made, never what this one did.
  void begin_layer() { made_in_layer_.clear(); }
  // Modes and times of directories, which writing into them would have changed. Once, after the last layer.
  Result<> finish();

  // Paths are clean (entry_path.h). What stands at the path is replaced, except a directory by a directory.
  using Data = std::function<Result<>(const std::function<Result<>(std::uint64_t, ByteView)>&)>;
  Result<> add_directory(const std::string& path, const TarEntry& entry);
  Result<> add_file(const std::string& path, const TarEntry& entry, const Data& data);
  Result<> add_symlink(const std::string& path, const TarEntry& entry);
  Result<> add_hard_link(const std::string& path, const std::string& target);
  Result<> add_device(const std::string& path, const TarEntry& entry);

  // ".wh.NAME" and ".wh..wh..opq" of OCI's layer.md.
  Result<> remove_from_lower_layers(const std::string& path);
  Result<> make_opaque(const std::string& directory);

 private:
  TreeWriter(FileDescriptor root, TreeOptions options) : root_(std::move(root)), options_(options) {}

  struct Parent {
    int directory;
    std::string name;
  };
  Result<Parent> prepare(const std::string& path);  // parent opened or made, what stood there noted as replaced
  Result<int> open_parent(std::string_view directory);
  Result<FileDescriptor> make_directories(std::string_view directory);
  Result<> make_way(const Parent& parent, const std::string& path, bool keep_directory);
  Result<> set_owner(const Parent& parent, const TarEntry& entry) const;
  Result<> remove_lower(int parent, const std::string& name, const std::string& path);
  void note_made(std::string_view path);
  void forget_parent();

  FileDescriptor root_;
  TreeOptions options_;
  std::string parent_path_;  // the last parent, kept open: entries come directory by directory
  FileDescriptor parent_{};
  std::unordered_set<std::string> made_in_layer_;
  std::vector<std::pair<std::string, TarEntry>> directories_;
};

}  // namespace coffer::image::unpack

#include "image/unpack/untar.h"

#include "image/unpack/entry_path.h"
#include "image/unpack/tree_writer.h"

namespace coffer::image::unpack {
namespace {

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view opaque_whiteout = ".wh..wh..opq";
constexpr std::string_view aufs_prefix = ".wh..wh.";  // bookkeeping of aufs, which means nothing here

bool is_device(EntryType type) {
  return type == EntryType::character_device || type == EntryType::block_device || type == EntryType::fifo ||
         type == EntryType::socket;
}

std::string_view device_name(EntryType type) {
  switch (type) {
    case EntryType::character_device: return "a character device";
    case EntryType::block_device: return "a block device";
    case EntryType::fifo: return "a FIFO";
    default: return "a socket";
  }
}

Result<> apply_whiteout(TreeWriter& tree, const std::string& path) {
  const std::string parent{parent_of(path)};
  const auto name = name_of(path);
  if (name == opaque_whiteout) return tree.make_opaque(parent);
  if (name.starts_with(aufs_prefix)) return {};
  const auto hidden = name.substr(whiteout_prefix.size());
  if (hidden.empty() || hidden == "." || hidden == "..") {
    return fail(ImageError::bad_path, "the archive has a whiteout \"" + path + "\" that names nothing");
  }
  return tree.remove_from_lower_layers(parent.empty() ? std::string{hidden} : parent + "/" + std::string{hidden});
}

Result<> add_hard_link(TreeWriter& tree, const std::string& path, const TarEntry& entry) {
  const auto target = clean_entry_path(entry.link_target);
  if (!target || target->empty()) {
    return fail(ImageError::link_escape, "the archive has a hard link " + path + " to \"" +
                                             entry.link_target.substr(0, 200) + "\", outside of the tree");
  }
  return tree.add_hard_link(path, *target);
}

class Extraction {
 public:
  Extraction(TarReader& reader, TreeWriter& tree, const UntarOptions& options, UntarCount& count)
      : reader_(reader), tree_(tree), options_(options), count_(count) {}

  Result<> add(const TarEntry& entry) {
    TRY(count(entry));
    const auto path = TRY(clean_entry_path(entry.path));
    if (name_of(path).starts_with(whiteout_prefix)) return whiteout(path);
    if (is_device(entry.type)) return device(path, entry);
    switch (entry.type) {
      case EntryType::directory: return tree_.add_directory(path, entry);
      case EntryType::symlink: return tree_.add_symlink(path, entry);
      case EntryType::hard_link: return add_hard_link(tree_, path, entry);
      default: return tree_.add_file(path, entry, [&](const auto& take) { return reader_.read_data(take); });
    }
  }

 private:
  // Before anything is made: a header alone can claim any size.
  Result<> count(const TarEntry& entry) {
    if (++count_.entries > options_.max_entries) {
      return fail(ImageError::limit_exceeded,
                  "the image has over " + std::to_string(options_.max_entries) + " entries");
    }
    if (entry.size > options_.max_size - count_.bytes) {
      return fail(ImageError::limit_exceeded,
                  "the image unpacks to over " + std::to_string(options_.max_size) + " bytes");
    }
    count_.bytes += entry.size;
    return {};
  }

  Result<> whiteout(const std::string& path) {
    if (options_.apply_whiteouts) return apply_whiteout(tree_, path);
    return fail(ImageError::bad_tar, "the archive has a whiteout \"" + path + "\", where none is expected");
  }

  Result<> device(const std::string& path, const TarEntry& entry) {
    if (options_.allow_devices) return tree_.add_device(path, entry);
    return fail(ImageError::device_node,
                "the archive has " + std::string{device_name(entry.type)} + " \"" + path + "\", which is not allowed");
  }

  TarReader& reader_;
  TreeWriter& tree_;
  const UntarOptions& options_;
  UntarCount& count_;
};

}  // namespace

Result<> untar(const ChunkSource& source, TreeWriter& tree, const UntarOptions& options, UntarCount& count) {
  const auto reader = TRY(TarReader::open(source));
  tree.begin_layer();
  Extraction extraction{*reader, tree, options, count};
  while (const auto entry = TRY(reader->next())) TRY(extraction.add(*entry));
  return {};
}

Result<UntarCount> untar(const ChunkSource& source, const std::filesystem::path& root, const UntarOptions& options) {
  const auto tree = TRY(TreeWriter::open(root, {.restore_owner = options.restore_owner}));
  UntarCount count;
  TRY(untar(source, *tree, options, count));
  TRY(tree->finish());
  return count;
}

}  // namespace coffer::image::unpack

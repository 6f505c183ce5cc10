#include "vm/cpio.h"

#include <sys/stat.h>
#include <zstd.h>

#include <array>
#include <limits>
#include <memory>

namespace coffer::vm {

namespace {

constexpr std::string_view magic = "070701";
constexpr std::string_view trailer = "TRAILER!!!";
// Smaller takes seconds more to build than it saves at boot.
constexpr int compression_level = 6;

void append(Bytes& out, std::string_view text) {
  const auto bytes = as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_number(Bytes& out, std::uint32_t value) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (int shift = 28; shift >= 0; shift -= 4) out.push_back(static_cast<std::byte>(digits[(value >> shift) & 0xf]));
}

void align(Bytes& out) {
  out.resize((out.size() + 3) & ~std::size_t{3});
}

void append_entry(Bytes& out, std::uint32_t inode, const std::string& path, const Node& node) {
  const auto links = S_ISDIR(node.mode) ? 2U : 1U;
  // In the format's order; owner, group, time and the archive's own device are 0.
  const std::array<std::uint32_t, 13> fields{inode,
                                             node.mode,
                                             0,
                                             0,
                                             links,
                                             0,
                                             static_cast<std::uint32_t>(node.content.size()),
                                             0,
                                             0,
                                             node.device_major,
                                             node.device_minor,
                                             static_cast<std::uint32_t>(path.size() + 1),
                                             0};
  append(out, magic);
  for (const auto field : fields) append_number(out, field);
  append(out, path);
  out.push_back(std::byte{0});
  align(out);
  out.insert(out.end(), node.content.begin(), node.content.end());
  align(out);
}

// Those nodes for which `chosen` holds.
Result<Bytes> write_some(const FileTree& tree, bool (*chosen)(const Node&)) {
  Bytes out;
  std::uint32_t inode = 0;
  for (const auto& [path, node] : tree.nodes()) {
    if (!chosen(node)) continue;
    if (node.content.size() > std::numeric_limits<std::uint32_t>::max()) {
      return fail(VmError::file, path + " is larger than the 4 GiB that the format can hold");
    }
    append_entry(out, ++inode, path, node);
  }
  append_entry(out, 0, std::string{trailer}, {});
  return out;
}

bool is_small(const Node& node) {
  return node.content.size() <= 4096;
}

}  // namespace

Result<Bytes> write_cpio(const FileTree& tree) {
  return write_some(tree, [](const Node&) { return true; });
}

Result<Bytes> make_initrd(const FileTree& tree) {
  const auto small = TRY(write_some(tree, is_small));
  const auto rest = TRY(compress(TRY(write_some(tree, [](const Node& node) { return !is_small(node); }))));
  return concat({small, rest});
}

Result<Bytes> compress(ByteView data) {
  Bytes out(ZSTD_compressBound(data.size()));
  const auto size = ZSTD_compress(out.data(), out.size(), data.data(), data.size(), compression_level);
  if (ZSTD_isError(size) != 0) {
    return fail(VmError::file, std::string{"the initramfs cannot be compressed: "} + ZSTD_getErrorName(size));
  }
  out.resize(size);
  return out;
}

}  // namespace coffer::vm

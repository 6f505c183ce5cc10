// Any tar may fail, and none may touch what lies beside the tree. The input is taken twice: as a tar, and as a plan for
// a tar of well-formed headers with hostile names and links.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "image/testing/archives.h"
#include "image/testing/temp_dir.h"
#include "image/unpack/module_tar.h"
#include "image/unpack/untar.h"

namespace {

using namespace coffer::image;

constexpr std::array names{"a",
                           "a/b",
                           "a/b/c",
                           "l",
                           "l/f",
                           "l/a/f",
                           "../beside",
                           "/beside",
                           "a/../../beside",
                           "m.wasm",
                           ".wh.a",
                           ".wh.l",
                           "a/.wh.b",
                           "l/.wh.f",
                           "l/.wh.beside",
                           ".wh..wh..opq",
                           "a/.wh..wh..opq",
                           "l/.wh..wh..opq",
                           ".wh...",
                           ".",
                           "./a",
                           "l/..",
                           "b",
                           "b/l"};
constexpr std::array targets{"..", ".", "a", "../beside", "/", "l", "a/b", "l/beside", "../..", "b/../.."};

coffer::Bytes planned_tar(const std::uint8_t* data, std::size_t size) {
  testing::TarBuilder tar;
  for (std::size_t i = 0; i + 2 < size && i < 96; i += 3) {
    const auto* name = names[data[i + 1] % names.size()];
    const auto* target = targets[data[i + 2] % targets.size()];
    switch (data[i] % 6) {
      case 0: tar.directory(name); break;
      case 1: tar.symlink(name, target); break;
      case 2: tar.hard_link(name, target); break;
      case 3: tar.fifo(name); break;
      default: tar.file(name, target);
    }
  }
  return tar.build();
}

void unpack_and_check(coffer::ByteView tar) {
  const testing::TempDir temp;
  const auto root = temp / "root";
  std::filesystem::create_directory(root);
  std::ofstream{temp / "beside"} << "untouched";
  const unpack::UntarOptions options{.allow_devices = true, .max_entries = 64, .max_size = 1U << 20};
  static_cast<void>(unpack::untar(testing::chunks_of(tar, 512), root, options));
  if (testing::read_text(temp / "beside") != "untouched") std::abort();
  if (std::filesystem::hard_link_count(temp / "beside") != 1) std::abort();
  if (std::distance(std::filesystem::directory_iterator{temp.path()}, {}) != 2) std::abort();
  unpack::ModuleCollector collector{{.max_entries = 64, .max_module_size = 1U << 20}};
  if (collector.add_layer(testing::chunks_of(tar, 512))) static_cast<void>(collector.take());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  unpack_and_check({reinterpret_cast<const std::byte*>(data), size});
  unpack_and_check(planned_tar(data, size));
  return 0;
}

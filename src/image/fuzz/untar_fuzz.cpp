// Any tar may fail, and none may touch what lies beside the tree.
#include <cstdint>
#include <cstdlib>

#include "image/testing/archives.h"
#include "image/testing/temp_dir.h"
#include "image/unpack/module_tar.h"
#include "image/unpack/untar.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::image;
  const coffer::ByteView tar{reinterpret_cast<const std::byte*>(data), size};
  const testing::TempDir temp;
  const auto root = temp / "root";
  std::filesystem::create_directory(root);
  std::ofstream{temp / "beside"} << "untouched";
  static_cast<void>(unpack::untar(testing::chunks_of(tar, 512), root, {.max_entries = 64, .max_size = 1U << 20}));
  if (testing::read_text(temp / "beside") != "untouched") std::abort();
  if (std::distance(std::filesystem::directory_iterator{temp.path()}, {}) != 2) std::abort();
  unpack::ModuleCollector collector{{.max_entries = 64, .max_module_size = 1U << 20}};
  if (collector.add_layer(testing::chunks_of(tar, 512))) static_cast<void>(collector.take());
  return 0;
}

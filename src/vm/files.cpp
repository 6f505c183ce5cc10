#include "vm/files.h"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace coffer::vm {

Result<Bytes> read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const auto size = in ? static_cast<std::streamoff>(in.tellg()) : -1;
  Bytes out(size > 0 ? static_cast<std::size_t>(size) : 0);
  in.seekg(0);
  if (size < 0 || !in.read(reinterpret_cast<char*>(out.data()), size)) {
    return fail(VmError::file, file.string() + " cannot be read: " + std::strerror(errno));
  }
  return out;
}

Result<> write_file(const std::filesystem::path& file, ByteView content) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out) return fail(VmError::file, file.string() + " cannot be written: " + std::strerror(errno));
  return {};
}

Result<> make_directories(const std::filesystem::path& directory) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) return fail(VmError::file, directory.string() + " cannot be made: " + failure.message());
  return {};
}

Result<TemporaryDirectory> TemporaryDirectory::create() {
  std::error_code failure;
  auto name = (std::filesystem::temp_directory_path(failure) / "coffer-vm.XXXXXX").string();
  if (failure || ::mkdtemp(name.data()) == nullptr) {
    return fail(VmError::file, "no temporary directory " + name + ": " + std::strerror(errno));
  }
  return TemporaryDirectory{name};
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace coffer::vm

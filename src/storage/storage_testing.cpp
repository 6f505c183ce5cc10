#include "storage/storage_testing.h"

#include <stdlib.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace coffer::storage {

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "coffer-storage-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TemporaryDirectory::write(const std::filesystem::path& relative, std::string_view content) const {
  std::filesystem::create_directories((path_ / relative).parent_path());
  std::ofstream(path_ / relative, std::ios::binary) << content;
}

std::string TemporaryDirectory::read(const std::filesystem::path& relative) const {
  std::ifstream file(path_ / relative, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::memory: return "memory";
    case Kind::local_fs: return "local_fs";
    case Kind::local_fs_nested: return "local_fs_nested";
    case Kind::sqlite: return "sqlite";
  }
  return "";
}

std::unique_ptr<KeyValueStore> open_store(Kind kind, const std::filesystem::path& directory) {
  switch (kind) {
    case Kind::memory: return make_memory_store();
    case Kind::local_fs: return open_local_fs_store({.directory = directory / "fs"}).value();
    case Kind::local_fs_nested: return open_local_fs_store({.directory = directory / "fs", .nested = true}).value();
    case Kind::sqlite: return open_sqlite_store(directory / "store.db").value();
  }
  return nullptr;
}

}  // namespace coffer::storage

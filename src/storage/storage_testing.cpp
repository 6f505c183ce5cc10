#include "storage/storage_testing.h"

namespace coffer::storage {

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

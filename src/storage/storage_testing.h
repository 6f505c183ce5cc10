// One way to open each kind of store in a directory of the test's own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "storage/key_value_store.h"
#include "testing/temporary_directory.h"

namespace coffer::storage {

using coffer::TemporaryDirectory;

enum class Kind { memory, local_fs, local_fs_nested, sqlite };
std::string_view name_of(Kind kind);
std::unique_ptr<KeyValueStore> open_store(Kind kind, const std::filesystem::path& directory);

}  // namespace coffer::storage

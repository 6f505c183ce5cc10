// Files that hold keys, read without a copy left behind.
#pragma once

#include <filesystem>
#include <optional>

#include "base/secret_bytes.h"
#include "keyclient/error.h"

namespace coffer::keyclient::detail {

// The content of a regular file of at most max_resource_size bytes; nothing where no regular file is there, and
// source_unreadable where it cannot be read or is over the limit.
Result<std::optional<SecretBytes>> read_secret_file(const std::filesystem::path& file);

// The same for `name` under `directory`: ".." and links that lead out of it are refused by the kernel
// (openat2, RESOLVE_BENEATH) and count as source_unreadable.
Result<std::optional<SecretBytes>> read_secret_beneath(const std::filesystem::path& directory,
                                                       const std::filesystem::path& name);

}  // namespace coffer::keyclient::detail

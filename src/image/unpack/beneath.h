// System calls that stay below a directory, with errors in the house's terms.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file_descriptor.h"
#include "image/error.h"

namespace coffer::image::unpack {

// openat2(2) with RESOLVE_BENEATH and without magic links. link_escape where a link leads out; `path` "" is the root.
Result<FileDescriptor> open_beneath(int root, const std::string& path, int flags);
// As above; nothing (an empty descriptor) where the path does not exist.
Result<FileDescriptor> open_beneath_if_exists(int root, const std::string& path, int flags);
// A file or a whole directory. Never follows links; nothing there is no error.
Result<> remove_tree(int parent, const std::string& name);
Result<std::vector<std::string>> list_names(int directory);
// io, bad_path (name too long) or bad_tar (a file where a directory is needed), by errno.
std::unexpected<Error> system_failure(int error_number, std::string_view action, std::string_view path);

}  // namespace coffer::image::unpack

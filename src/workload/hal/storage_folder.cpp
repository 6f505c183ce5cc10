#include "workload/hal/storage_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "image/unpack/beneath.h"

namespace coffer::workload::hal {
namespace {

namespace fs = std::filesystem;

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

std::unexpected<Error> refused(const fs::path& wanted, std::string_view why) {
  return fail(HalError::storage_refused, "hal_storage_path " + wanted.string() + " " + std::string{why});
}

std::unexpected<Error> system_failure(std::string_view what) {
  return fail(HalError::io, std::string{what} + ": " + std::strerror(errno));
}

// The steps from `root` to `path`; nothing where it does not lie below. Both are absolute and normal.
std::optional<fs::path> below(const fs::path& root, const fs::path& path) {
  const auto relative = path.lexically_relative(root);
  if (relative.empty() || *relative.begin() == "..") return std::nullopt;
  return relative == "." ? fs::path{} : relative;
}

fs::path normal(const fs::path& path) {
  auto out = path.lexically_normal();
  return out.has_filename() ? out : out.parent_path();
}

}  // namespace

Result<StoragePlace> find_storage(const StorageSettings& settings, const fs::path& wanted) {
  const bool climbs = std::ranges::find(wanted, fs::path{".."}) != wanted.end();
  if (!wanted.is_absolute() || climbs) return refused(wanted, "is not an absolute path without \"..\"");
  const auto path = normal(wanted);
  for (const auto& allowed : settings.allowed) {
    if (const auto relative = below(normal(allowed), path)) return StoragePlace{normal(allowed), *relative};
  }
  return refused(wanted, "lies below no folder that this worker's operator allows (PROPLET_HAL_STORAGE_ROOTS)");
}

Result<> prepare_own_storage(const fs::path& own) {
  std::error_code error;
  fs::remove_all(own, error);
  if (!error) fs::create_directories(own.parent_path(), error);
  if (error) return fail(HalError::io, own.string() + " cannot be made: " + error.message());
  if (::mkdir(own.c_str(), 0700) != 0) return system_failure(own.string() + " cannot be made");
  return {};
}

Result<StorageFolder> StorageFolder::make_own(const fs::path& own) {
  if (own.empty()) return fail(HalError::unavailable, "this worker has no folder for what tasks store");
  auto pattern = (own / "task-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return system_failure("no folder can be made for this task");
  StorageFolder out;
  out.own_name_ = fs::path{pattern}.filename().string();
  out.parent_ = FileDescriptor{::open(own.c_str(), directory_flags)};
  out.folder_ = FileDescriptor{::open(pattern.c_str(), directory_flags | O_NOFOLLOW)};
  if (!out.parent_ || !out.folder_) return system_failure("the folder of this task cannot be opened");
  return out;
}

// Step by step, each made where it is missing. Links may lead elsewhere below the allowed folder, and not out of it.
Result<StorageFolder> StorageFolder::open_below(const StoragePlace& place) {
  StorageFolder out;
  const FileDescriptor root{::open(place.root.c_str(), directory_flags)};
  if (!root) return system_failure("the folder " + place.root.string() + " cannot be opened");
  out.folder_ = FileDescriptor{::openat(root.get(), ".", directory_flags)};
  fs::path reached;
  for (const auto& step : place.relative) {
    if (::mkdirat(out.folder_.get(), step.c_str(), 0700) != 0 && errno != EEXIST) {
      return system_failure("a folder below " + place.root.string() + " cannot be made");
    }
    reached /= step;
    out.folder_ = coffer::open_beneath(root.get(), reached.c_str(), directory_flags);
    if (!out.folder_ && (errno == EXDEV || errno == ELOOP)) return refused(place.root / reached, "leads out by a link");
    if (!out.folder_) return system_failure("a folder below " + place.root.string() + " cannot be opened");
  }
  if (!out.folder_) return system_failure("the folder " + place.root.string() + " cannot be opened");
  return out;
}

Result<StorageFolder> StorageFolder::open(const StorageSettings& settings, const fs::path& wanted) {
  if (wanted.empty()) return make_own(settings.own);
  return open_below(TRY(find_storage(settings, wanted)));
}

StorageFolder::~StorageFolder() {
  if (!own_name_.empty() && parent_) (void)image::unpack::remove_tree(parent_.get(), own_name_);
}

}  // namespace coffer::workload::hal

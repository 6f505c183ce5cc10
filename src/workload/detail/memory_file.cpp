#include "workload/detail/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace coffer::workload::detail {
namespace {

std::unexpected<Error> system_failure(std::string_view what) {
  return fail(WorkloadError::runtime_missing, std::string{what} + ": " + std::strerror(errno));
}

}  // namespace

Result<FileDescriptor> make_memory_file(ByteView module) {
  FileDescriptor file{::memfd_create("module.wasm", MFD_ALLOW_SEALING | MFD_CLOEXEC)};
  if (!file) return system_failure("no memory file can be made");
  while (!module.empty()) {
    const auto written = ::write(file.get(), module.data(), module.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure("the module does not fit into a memory file");
    module = module.subspan(static_cast<std::size_t>(written));
  }
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return system_failure("the memory file cannot be sealed");
  }
  return file;
}

std::string path_of(const FileDescriptor& file) {
  return "/proc/self/fd/" + std::to_string(file.get());
}

}  // namespace coffer::workload::detail

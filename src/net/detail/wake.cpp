#include "net/detail/wake.h"

#include <sys/eventfd.h>

#include <cstdint>
#include <cstdlib>

#include "base/log.h"

namespace coffer::net::detail {

Wake::Wake() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_) return;
  log::error("net.no_eventfd", "the system gave no descriptor for a thread's wake-up");
  std::abort();
}

void Wake::ring() const {
  const std::uint64_t one = 1;
  (void)!::write(fd_.get(), &one, sizeof one);
}

void Wake::clear() const {
  std::uint64_t count = 0;
  (void)!::read(fd_.get(), &count, sizeof count);
}

}  // namespace coffer::net::detail

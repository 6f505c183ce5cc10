#include "net/detail/curl_handle.h"

#include <algorithm>

namespace coffer::net::detail {
namespace {

constexpr std::size_t max_idle = 32;

}  // namespace

CurlPool::CurlPool() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(once);
}

Result<CurlHandle> CurlPool::take(const std::string& origin) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(idle_, origin, &Idle::origin);
    if (found != idle_.end()) {
      auto handle = std::move(found->handle);
      idle_.erase(found);
      return handle;
    }
  }
  CurlHandle fresh{curl_easy_init()};
  if (!fresh) return fail(NetError::bad_configuration, "libcurl cannot be initialised");
  return fresh;
}

void CurlPool::give_back(const std::string& origin, CurlHandle handle) {
  curl_easy_reset(handle.get());  // options alone; connections stay
  CurlHandle surplus;
  const std::lock_guard lock(mutex_);
  idle_.push_back({origin, std::move(handle)});
  if (idle_.size() > max_idle) {
    surplus = std::move(idle_.front().handle);
    idle_.erase(idle_.begin());
  }
}

}  // namespace coffer::net::detail

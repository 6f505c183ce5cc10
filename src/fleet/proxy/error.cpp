#include "fleet/proxy/error.h"

#include <utility>

namespace coffer::fleet::proxy {

std::string_view code_name(ProxyError code) {
  switch (code) {
    case ProxyError::busy: return "proxy.busy";
    case ProxyError::registry_refused: return "proxy.registry_refused";
    case ProxyError::too_large: return "proxy.too_large";
    case ProxyError::stopping: return "proxy.stopping";
  }
  std::unreachable();
}

}  // namespace coffer::fleet::proxy

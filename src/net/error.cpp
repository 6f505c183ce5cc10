#include "net/error.h"

#include <utility>

namespace coffer::net {

std::string_view code_name(NetError code) {
  switch (code) {
    case NetError::bad_url: return "net.bad_url";
    case NetError::unresolved: return "net.unresolved";
    case NetError::refused: return "net.refused";
    case NetError::unreachable: return "net.unreachable";
    case NetError::tls: return "net.tls";
    case NetError::timeout: return "net.timeout";
    case NetError::too_large: return "net.too_large";
    case NetError::protocol: return "net.protocol";
    case NetError::redirect: return "net.redirect";
    case NetError::cancelled: return "net.cancelled";
    case NetError::address_in_use: return "net.address_in_use";
    case NetError::not_authorized: return "net.not_authorized";
    case NetError::queue_full: return "net.queue_full";
    case NetError::not_taken: return "net.not_taken";
    case NetError::bad_message: return "net.bad_message";
    case NetError::bad_metric: return "net.bad_metric";
    case NetError::bad_configuration: return "net.bad_configuration";
  }
  std::unreachable();
}

}  // namespace coffer::net

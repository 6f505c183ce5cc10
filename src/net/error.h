#pragma once

#include "base/result.h"

namespace coffer::net {

enum class NetError {
  bad_url,
  unresolved,   // the host name has no address
  refused,      // nothing listens there
  unreachable,  // no route, reset, or closed before the answer was complete
  tls,          // handshake or certificate
  timeout,
  too_large,  // an answer over the caller's limit
  protocol,   // not HTTP, or broken HTTP
  redirect,   // a redirect that may not be followed: too many, or to plain HTTP
  cancelled,  // the caller's sink asked to stop
  address_in_use,
  not_authorized,     // the peer knows the caller not, or forbids what it asks for
  queue_full,         // as much waits to be sent as may
  not_taken,          // the peer breaks the connection each time that the message comes
  bad_message,        // a method, header or body of the caller that HTTP cannot carry
  bad_metric,         // a metric name or label that Prometheus does not allow, or two kinds under one name
  bad_configuration,  // certificate, key or address of a server that cannot be used
};
std::string_view code_name(NetError code);

}  // namespace coffer::net

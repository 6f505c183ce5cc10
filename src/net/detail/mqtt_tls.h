// A client's TLS settings for libmosquitto.
#pragma once

#include <openssl/types.h>

#include <memory>

#include "net/mqtt.h"

namespace coffer::net::detail {

struct FreeSslContext {
  void operator()(SSL_CTX* context) const;
};
using SslContext = std::unique_ptr<SSL_CTX, FreeSslContext>;

// From TLS 1.2; the chain must end in one of the given roots (or the system's) and carry `host`, name or address, as
// RFC 6125 has it. The host is also what is asked for (SNI), although libmosquitto is handed a numeric address.
// NetError::bad_configuration for files that do not load, or a key that is not the certificate's.
Result<SslContext> make_client_context(const MqttTls& tls, const std::string& host);

}  // namespace coffer::net::detail

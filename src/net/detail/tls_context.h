// A server's TLS settings from PEM text.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>

#include "net/http_server.h"

namespace coffer::net::detail {

// TLS 1.2 with AEAD suites and 1.3, or 1.3 alone; ALPN http/1.1; no renegotiation. A chain or key that does not parse,
// a key that is not the certificate's, or an encrypted key is NetError::bad_configuration; so are client roots that do
// not parse. With client certificates no session is resumed: a certificate is looked at in each handshake.
Result<std::unique_ptr<boost::asio::ssl::context>> make_tls_context(
    const TlsIdentity& identity, const std::optional<ClientCertificates>& clients = std::nullopt);

}  // namespace coffer::net::detail

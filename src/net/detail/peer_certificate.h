// Certificates of clients, as OpenSSL verified them.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "net/http_server.h"

namespace coffer::net::detail {

// Nothing where the client showed no certificate, or one that was not verified.
std::shared_ptr<const PeerCertificate> verified_peer(const SSL* connection);

// Where a handshake failed for the client's certificate: a line for the operator, who sees why.
void log_refused_certificate(const SSL* connection, const std::string& peer);

}  // namespace coffer::net::detail

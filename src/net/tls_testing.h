// Certificates made on the spot.
#pragma once

#include "crypto/keys.h"
#include "crypto/x509.h"
#include "net/http_server.h"

namespace coffer::net::testing {

inline crypto::PrivateKey new_key(crypto::KeyKind kind = crypto::KeyKind::ec_p256) {
  return *crypto::PrivateKey::generate(kind);
}

struct Authority {
  crypto::PrivateKey key = new_key();
  crypto::Certificate certificate = *crypto::self_sign({.common_name = "test root",
                                                        .not_before = system_clock().now() - std::chrono::hours{48},
                                                        .not_after = system_clock().now() + std::chrono::hours{48},
                                                        .is_ca = true},
                                                       key);
  std::string pem() const { return certificate.to_pem(); }
};

inline crypto::CertificateRequest leaf_request() {
  return {.common_name = "127.0.0.1",
          .not_before = system_clock().now() - std::chrono::hours{24},
          .not_after = system_clock().now() + std::chrono::hours{24},
          .dns_names = {"localhost"},
          .ip_addresses = {"127.0.0.1"}};
}

inline TlsIdentity identity(const Authority& authority, const crypto::CertificateRequest& request = leaf_request(),
                            const crypto::PrivateKey& key = new_key()) {
  const auto certificate = *crypto::issue(request, key.public_key(), {authority.certificate, authority.key});
  return {.certificate_chain_pem = certificate.to_pem() + authority.pem(), .private_key_pem = key.to_pem_pkcs8()};
}

}  // namespace coffer::net::testing

#include "net/detail/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <boost/system/system_error.hpp>
#include <string_view>

#include "net/detail/openssl_pem.h"

namespace coffer::net::detail {
namespace {

namespace ssl = boost::asio::ssl;

// Mozilla's "intermediate" list without its CBC and finite-field suites.
constexpr const char* tls12_suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// RFC 7301 section 3.2: a client that names protocols without ours gets no_application_protocol.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static constexpr unsigned char own[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const auto found = SSL_select_next_proto(&chosen, out_size, own, sizeof own - 1, offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

auto refuse(const std::string& what) {
  return fail(NetError::bad_configuration, "TLS identity: " + what + " (" + last_openssl_error() + ")");
}

Result<> use_chain(SSL_CTX* context, std::string_view pem) {
  const auto certificates = TRY(read_certificates(pem));
  if (certificates.empty()) return refuse("expected a certificate chain in PEM, found no certificate");
  if (SSL_CTX_use_certificate(context, certificates.front().get()) != 1) {
    return refuse("the first certificate cannot be used");
  }
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, certificates[i].get()) != 1) {
      return refuse("certificate " + std::to_string(i + 1) + " of the chain cannot be used");
    }
  }
  return {};
}

Result<> use_key(SSL_CTX* context, const SecretBytes& pem) {
  const auto key = read_private_key(pem.expose());
  if (!key) return refuse("expected an unencrypted private key in PEM");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return refuse("the private key does not belong to the first certificate");
  }
  return {};
}

void set_policy(SSL_CTX* context, TlsProfile profile) {
  SSL_CTX_set_min_proto_version(context, profile == TlsProfile::modern ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, tls12_suites);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

// A client's chain may have this many certificates between its own and a root.
constexpr int client_depth = 4;

// A resumed session would outlive its certificate's end and whatever else was checked.
void forbid_resumption(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
}

Result<> ask_clients(SSL_CTX* context, const ClientCertificates& clients) {
  const auto roots = TRY(read_certificates(clients.root_pems));
  if (roots.empty()) {
    return fail(NetError::bad_configuration, "client certificates: expected roots in PEM, found no certificate");
  }
  auto* store = SSL_CTX_get_cert_store(context);
  for (const auto& root : roots) {
    if (X509_STORE_add_cert(store, root.get()) != 1 || SSL_CTX_add_client_CA(context, root.get()) != 1) {
      return refuse("a root of client certificates cannot be used");
    }
  }
  SSL_CTX_set_verify_depth(context, client_depth);
  const int strictness = clients.required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | strictness, nullptr);
  forbid_resumption(context);
  return {};
}

}  // namespace

Result<std::unique_ptr<ssl::context>> make_tls_context(const TlsIdentity& identity,
                                                       const std::optional<ClientCertificates>& clients) {
  try {
    auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
    set_policy(context->native_handle(), identity.profile);
    TRY(use_chain(context->native_handle(), identity.certificate_chain_pem));
    TRY(use_key(context->native_handle(), identity.private_key_pem));
    if (clients) TRY(ask_clients(context->native_handle(), *clients));
    return context;
  } catch (const boost::system::system_error& e) {
    return refuse(e.what());
  }
}

}  // namespace coffer::net::detail

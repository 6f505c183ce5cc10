#include "net/detail/mqtt_tls.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/detail/openssl_pem.h"

namespace coffer::net::detail {
namespace {

bool is_numeric(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

auto unusable(const std::string& what, const std::string& path) {
  return fail(NetError::bad_configuration, what + " " + path + " cannot be used: " + last_openssl_error());
}

void free_host(void*, void* pointer, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::string*>(pointer);
}

int host_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_host);
  return index;
}

// libmosquitto names the numeric address it was given as the server; at the start of the handshake, before the first
// message is made, the name takes its place. RFC 6066 section 3 allows no addresses there.
void name_server(const SSL* connection, int where, int) {
  if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
  const auto* host = static_cast<const std::string*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), host_index()));
  if (host == nullptr) return;
  const char* name = is_numeric(*host) ? nullptr : host->c_str();
  SSL_set_tlsext_host_name(const_cast<SSL*>(connection), name);
}

Result<> trust(SSL_CTX* context, const MqttTls& tls) {
  if (tls.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  if (SSL_CTX_load_verify_file(context, tls.ca_file.c_str()) != 1) return unusable("the CA file", tls.ca_file);
  return {};
}

Result<> identify(SSL_CTX* context, const MqttTls& tls) {
  if (tls.certificate_file.empty() != tls.key_file.empty())
    return fail(NetError::bad_configuration,
                "expected a client certificate together with its key, found one of the two");
  if (tls.certificate_file.empty()) return {};
  // Nobody is asked for a key's password.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });
  if (SSL_CTX_use_certificate_chain_file(context, tls.certificate_file.c_str()) != 1)
    return unusable("the client certificate", tls.certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context, tls.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return unusable("the client key", tls.key_file);
  if (SSL_CTX_check_private_key(context) != 1) return unusable("the client key", tls.key_file);
  return {};
}

}  // namespace

void FreeSslContext::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

Result<SslContext> make_client_context(const MqttTls& tls, const std::string& host) {
  SslContext context{SSL_CTX_new(TLS_client_method())};
  if (context == nullptr) return fail(NetError::bad_configuration, "TLS cannot be set up: " + last_openssl_error());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  TRY(trust(context.get(), tls));
  TRY(identify(context.get(), tls));
  SSL_CTX_set_ex_data(context.get(), host_index(), new std::string{host});
  SSL_CTX_set_info_callback(context.get(), name_server);
  SSL_CTX_set_verify(context.get(), tls.skip_verification ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  if (tls.skip_verification) return context;
  X509_VERIFY_PARAM* expected = SSL_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = is_numeric(host) ? X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str())
                                   : X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size());
  if (set != 1)
    return fail(NetError::bad_configuration, "the broker's name " + host + " cannot stand in a certificate");
  return context;
}

}  // namespace coffer::net::detail

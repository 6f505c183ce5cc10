// Server and client over TLS, with certificates made on the spot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "crypto/keys.h"
#include "crypto/x509.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/raw_socket_testing.h"
#include "net/tls_testing.h"

namespace coffer::net {
namespace {

using namespace std::chrono_literals;
using crypto::Certificate;
using crypto::PrivateKey;
using testing::Authority;
using ::testing::HasSubstr;
using testing::identity;
using testing::leaf_request;
using testing::new_key;
using testing::RawSocket;

std::unique_ptr<HttpServer> serve(TlsIdentity tls, Duration head_timeout = 5s) {
  ServerOptions options{.sockets = {"127.0.0.1:0"}, .tls = std::move(tls), .head_timeout = head_timeout};
  auto server = HttpServer::start(std::move(options), [](const ServerRequest& request) {
    return ServerResponse{.headers = {{"X-Tls", request.tls ? "yes" : "no"}}, .body = request.body};
  });
  EXPECT_TRUE(server) << to_string(server.error());
  return *std::move(server);
}

Result<HttpResponse> ask(const HttpServer& server, std::vector<std::string> roots,
                         const std::string& host = "127.0.0.1") {
  const auto client = *HttpClient::create({.extra_root_pems = std::move(roots)});
  const auto port = server.addresses()[0].substr(server.addresses()[0].rfind(':'));
  return client->send(
      {.method = "POST", .url = "https://" + host + port + "/x", .body = to_bytes("hello"), .timeout = 10s});
}

std::string code_of(const Result<HttpResponse>& result) {
  return result ? "none" : std::string{result.error().code.name()};
}

// The outcome of a bare OpenSSL handshake under `configure`: the version, or "refused".
std::string handshake(const HttpServer& server, const std::function<void(SSL*)>& configure,
                      std::string* alpn = nullptr) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  auto* bio = BIO_new_connect(server.addresses()[0].c_str());
  SSL_set_bio(ssl.get(), bio, bio);
  configure(ssl.get());
  if (BIO_do_connect(bio) != 1 || SSL_connect(ssl.get()) != 1) return "refused";
  if (alpn != nullptr) {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl.get(), &name, &size);
    alpn->assign(reinterpret_cast<const char*>(name), size);
  }
  return SSL_get_version(ssl.get());
}

TEST(Tls, carries_requests_and_answers_under_a_root_of_our_own) {
  const Authority authority;
  for (const auto kind : {crypto::KeyKind::ec_p256, crypto::KeyKind::rsa}) {
    const auto server = serve(identity(authority, leaf_request(), new_key(kind)));
    for (const auto* host : {"127.0.0.1", "localhost"}) {
      const auto response = ask(*server, {authority.pem()}, host);
      ASSERT_TRUE(response) << to_string(response.error());
      EXPECT_EQ(as_text(response->body), "hello");
      EXPECT_EQ(response->headers.get("X-Tls"), "yes");
    }
  }
}

TEST(Tls, works_without_the_system_s_roots_too) {
  const Authority authority;
  const auto server = serve(identity(authority));
  const auto client = *HttpClient::create({.extra_root_pems = {authority.pem()}, .use_system_roots = false});
  EXPECT_EQ(code_of(client->send({.url = "https://" + server->addresses()[0]})), "none");
  const auto blind = *HttpClient::create({.use_system_roots = false});
  EXPECT_EQ(code_of(blind->send({.url = "https://" + server->addresses()[0]})), "net.tls");
}

TEST(Tls, carries_big_bodies_and_keeps_the_connection) {
  const Authority authority;
  const auto server = serve(identity(authority));
  const auto client = *HttpClient::create({.extra_root_pems = {authority.pem()}});
  for (int i = 0; i < 3; ++i) {
    const auto response = client->send(
        {.method = "PUT", .url = "https://" + server->addresses()[0], .body = Bytes(1U << 20, std::byte{7})});
    ASSERT_TRUE(response) << to_string(response.error());
    EXPECT_EQ(response->body, Bytes(1U << 20, std::byte{7}));
  }
}

TEST(Tls, a_client_refuses_a_root_it_does_not_know) {
  const Authority authority;
  const Authority other;
  const auto server = serve(identity(authority));
  const auto response = ask(*server, {other.pem()});
  EXPECT_EQ(code_of(response), "net.tls");
  EXPECT_THAT(response.error().message, HasSubstr(server->addresses()[0]));
  EXPECT_EQ(code_of(ask(*server, {})), "net.tls");
}

TEST(Tls, a_client_refuses_expired_early_and_foreign_certificates) {
  const Authority authority;
  auto expired = leaf_request();
  expired.not_after = system_clock().now() - 1h;
  EXPECT_EQ(code_of(ask(*serve(identity(authority, expired)), {authority.pem()})), "net.tls");
  auto early = leaf_request();
  early.not_before = system_clock().now() + 1h;
  EXPECT_EQ(code_of(ask(*serve(identity(authority, early)), {authority.pem()})), "net.tls");
  auto foreign = leaf_request();
  foreign.common_name = "elsewhere";
  foreign.ip_addresses = {"192.0.2.1"};
  EXPECT_EQ(code_of(ask(*serve(identity(authority, foreign)), {authority.pem()})), "net.tls");
}

TEST(Tls, refuses_identities_that_cannot_serve) {
  const Authority authority;
  const auto reason = [](TlsIdentity tls) {
    const auto server = HttpServer::start({.sockets = {"127.0.0.1:0"}, .tls = std::move(tls)},
                                          [](const ServerRequest&) { return ServerResponse{}; });
    EXPECT_EQ(server.error().code, NetError::bad_configuration);
    return server.error().message;
  };
  auto mismatched = identity(authority);
  mismatched.private_key_pem = new_key().to_pem_pkcs8();
  EXPECT_THAT(reason(std::move(mismatched)), HasSubstr("does not belong"));
  auto without_key = identity(authority);
  without_key.private_key_pem = SecretBytes::copy_of("no key");
  EXPECT_THAT(reason(std::move(without_key)), HasSubstr("private key"));
  auto without_chain = identity(authority);
  without_chain.certificate_chain_pem = "";
  EXPECT_THAT(reason(std::move(without_chain)), HasSubstr("no certificate"));
  auto broken_chain = identity(authority);
  broken_chain.certificate_chain_pem += "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_THAT(reason(std::move(broken_chain)), HasSubstr("certificate 3"));
}

TEST(Tls, a_client_refuses_roots_that_do_not_parse) {
  EXPECT_EQ(HttpClient::create({.extra_root_pems = {"nonsense"}}).error().code, NetError::bad_configuration);
  EXPECT_EQ(HttpClient::create({.extra_root_pems = {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}})
                .error()
                .code,
            NetError::bad_configuration);
}

TEST(Tls, offers_1_2_and_1_3_or_1_3_alone) {
  const Authority authority;
  const auto up_to = [](int version) { return [version](SSL* ssl) { SSL_set_max_proto_version(ssl, version); }; };
  const auto both = serve(identity(authority));
  EXPECT_EQ(handshake(*both, up_to(0)), "TLSv1.3");
  EXPECT_EQ(handshake(*both, up_to(TLS1_2_VERSION)), "TLSv1.2");
  EXPECT_EQ(handshake(*both, up_to(TLS1_1_VERSION)), "refused");
  auto modern = identity(authority);
  modern.profile = TlsProfile::modern;
  const auto strict = serve(std::move(modern));
  EXPECT_EQ(handshake(*strict, up_to(0)), "TLSv1.3");
  EXPECT_EQ(handshake(*strict, up_to(TLS1_2_VERSION)), "refused");
}

TEST(Tls, offers_no_suite_without_forward_secrecy_and_aead) {
  const Authority authority;
  const auto server = serve(identity(authority));
  EXPECT_EQ(handshake(*server,
                      [](SSL* ssl) {
                        SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
                        SSL_set_cipher_list(ssl, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256");
                      }),
            "refused");
}

TEST(Tls, agrees_on_http_1_1_by_alpn_and_on_nothing_else) {
  const Authority authority;
  const auto server = serve(identity(authority));
  std::string chosen;
  const auto offering = [](std::string_view protocols) {
    return [protocols](SSL* ssl) {
      SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(protocols.data()),
                          static_cast<unsigned>(protocols.size()));
    };
  };
  EXPECT_EQ(handshake(*server, offering("\x02h2\x08http/1.1"), &chosen), "TLSv1.3");
  EXPECT_EQ(chosen, "http/1.1");
  EXPECT_EQ(handshake(*server, offering("\x02h2")), "refused");
}

TEST(Tls, a_peer_that_speaks_plain_http_or_nothing_is_closed) {
  const Authority authority;
  const auto server = serve(identity(authority));
  auto plain = RawSocket::connect(server->addresses()[0]);
  plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(plain.receive_all().find("HTTP/"), std::string::npos);
  EXPECT_EQ(code_of(ask(*server, {authority.pem()})), "none");
  const auto impatient = serve(identity(authority), 50ms);
  auto silent = RawSocket::connect(impatient->addresses()[0]);
  EXPECT_EQ(silent.receive_all(), "");
}

TEST(Tls, a_client_asking_a_plain_server_says_that_tls_failed) {
  const auto server =
      *HttpServer::start({.sockets = {"127.0.0.1:0"}}, [](const ServerRequest&) { return ServerResponse{}; });
  EXPECT_EQ(code_of(ask(*server, {})), "net.tls");
}

TEST(Tls, never_follows_a_redirect_to_plain_http) {
  const Authority authority;
  const auto server =
      *HttpServer::start({.sockets = {"127.0.0.1:0"}, .tls = identity(authority)}, [](const ServerRequest&) {
        return ServerResponse{.status = 302, .headers = {{"Location", "http://127.0.0.1:1/"}}};
      });
  const auto client = *HttpClient::create({.extra_root_pems = {authority.pem()}});
  EXPECT_EQ(code_of(client->send({.url = "https://" + server->addresses()[0], .max_redirects = 2})), "net.redirect");
}

}  // namespace
}  // namespace coffer::net

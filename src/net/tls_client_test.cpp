// Mutual TLS: who a client proves to be, and who is not let in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/tls_testing.h"

namespace coffer::net {
namespace {

using namespace std::chrono_literals;
using testing::Authority;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::identity;
using testing::new_key;

crypto::CertificateRequest client_request() {
  return {.common_name = "ci",
          .not_before = system_clock().now() - 24h,
          .not_after = system_clock().now() + 24h,
          .dns_names = {"ci.example.org"},
          .purposes = {"1.3.6.1.5.5.7.3.2"}};  // clientAuth
}

struct Client {
  std::string certificate;
  SecretBytes key;
};

Client issue_client(const Authority& authority, const crypto::CertificateRequest& request = client_request()) {
  const auto key = new_key();
  const auto certificate = *crypto::issue(request, key.public_key(), {authority.certificate, authority.key});
  return {certificate.to_pem(), key.to_pem_pkcs8()};
}

// A server that says who it thinks asks.
struct Fixture {
  explicit Fixture(bool required = true, TlsProfile profile = TlsProfile::intermediate) {
    auto tls = identity(servers);
    tls.profile = profile;
    ServerOptions options{.sockets = {"127.0.0.1:0"}, .tls = std::move(tls)};
    options.client_certificates = ClientCertificates{.root_pems = clients.pem(), .required = required};
    server = *HttpServer::start(std::move(options), [this](const ServerRequest& request) {
      {
        const std::scoped_lock lock(mutex);
        certificate = request.certificate;
      }
      return ServerResponse::text(200, "text/plain", request.certificate ? request.certificate->common_name : "nobody");
    });
  }

  // What the server said, or the error's code.
  std::string ask(std::optional<Client> client) const {
    HttpClientOptions options{.extra_root_pems = {servers.pem()}};
    if (client) {
      options.client_certificate_pem = client->certificate;
      options.client_key_pem = std::move(client->key);
    }
    const auto http = HttpClient::create(std::move(options));
    if (!http) return std::string{http.error().code.name()};
    const auto answer = (*http)->send({.url = "https://" + server->addresses()[0] + "/", .timeout = 10s});
    return answer ? std::string{as_text(answer->body)} : std::string{answer.error().code.name()};
  }

  // That of the last request.
  std::shared_ptr<const PeerCertificate> seen() {
    const std::scoped_lock lock(mutex);
    return certificate;
  }

  Authority servers, clients;
  std::mutex mutex;
  std::shared_ptr<const PeerCertificate> certificate;
  std::unique_ptr<HttpServer> server;
};

TEST(MutualTls, a_handler_learns_who_the_client_is) {
  Fixture f;
  EXPECT_EQ(f.ask(issue_client(f.clients)), "ci");
  const auto seen = f.seen();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->subject, "CN=ci");
  EXPECT_THAT(seen->names, ElementsAre("ci.example.org"));
  EXPECT_EQ(seen->sha256.size(), 64U);
  EXPECT_GT(seen->not_after, system_clock().now());
}

TEST(MutualTls, holds_for_tls_1_3_alone_too) {
  const Fixture f(true, TlsProfile::modern);
  EXPECT_EQ(f.ask(issue_client(f.clients)), "ci");
  EXPECT_THAT(f.ask(std::nullopt), HasSubstr("net."));
}

TEST(MutualTls, nobody_gets_in_without_a_certificate_where_one_is_required) {
  Fixture f;
  EXPECT_THAT(f.ask(std::nullopt), HasSubstr("net."));
  EXPECT_FALSE(f.seen());
}

TEST(MutualTls, a_client_may_stay_unknown_where_a_certificate_is_optional) {
  const Fixture f(false);
  EXPECT_EQ(f.ask(std::nullopt), "nobody");
  EXPECT_EQ(f.ask(issue_client(f.clients)), "ci");
}

TEST(MutualTls, a_bad_certificate_is_refused_even_where_none_would_do) {
  Fixture f(false);
  EXPECT_THAT(f.ask(issue_client(Authority{})), HasSubstr("net."));
  EXPECT_THAT(f.ask(issue_client(f.servers)), HasSubstr("net."));
  auto expired = client_request();
  expired.not_after = system_clock().now() - 1h;
  EXPECT_THAT(f.ask(issue_client(f.clients, expired)), HasSubstr("net."));
  auto early = client_request();
  early.not_before = system_clock().now() + 1h;
  EXPECT_THAT(f.ask(issue_client(f.clients, early)), HasSubstr("net."));
  auto other_purpose = client_request();
  other_purpose.purposes = {"1.3.6.1.5.5.7.3.1"};  // serverAuth
  EXPECT_THAT(f.ask(issue_client(f.clients, other_purpose)), HasSubstr("net."));
  EXPECT_FALSE(f.seen());
}

TEST(MutualTls, a_server_refuses_roots_that_are_none_and_certificates_without_tls) {
  const auto code = [](std::optional<TlsIdentity> tls, const std::string& roots) {
    ServerOptions options{.sockets = {"127.0.0.1:0"}, .tls = std::move(tls)};
    options.client_certificates = ClientCertificates{.root_pems = roots};
    const auto server = HttpServer::start(std::move(options), [](const ServerRequest&) { return ServerResponse{}; });
    return server ? std::string{} : std::string{server.error().code.name()};
  };
  const Authority authority;
  EXPECT_EQ(code(identity(authority), authority.pem()), "");
  EXPECT_EQ(code(identity(authority), "no root"), "net.bad_configuration");
  EXPECT_EQ(code(identity(authority), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "net.bad_configuration");
  EXPECT_EQ(code(std::nullopt, authority.pem()), "net.bad_configuration");
}

TEST(MutualTls, a_client_refuses_an_identity_that_does_not_fit_together) {
  const Fixture f;
  auto without_key = issue_client(f.clients);
  without_key.key = SecretBytes{};
  EXPECT_EQ(f.ask(std::move(without_key)), "net.bad_configuration");
  auto without_certificate = issue_client(f.clients);
  without_certificate.certificate.clear();
  EXPECT_EQ(f.ask(std::move(without_certificate)), "net.bad_configuration");
  auto mixed = issue_client(f.clients);
  mixed.key = issue_client(f.clients).key;
  EXPECT_EQ(f.ask(std::move(mixed)), "net.bad_configuration");
  auto broken = issue_client(f.clients);
  broken.key = SecretBytes::copy_of("no key");
  EXPECT_EQ(f.ask(std::move(broken)), "net.bad_configuration");
}

}  // namespace
}  // namespace coffer::net

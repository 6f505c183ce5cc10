// JWK sets over https, from a server with a certificate of our own making.
#include "appraisal/detail/anchors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "codec/jose/jwk.h"
#include "net/http_server.h"

namespace coffer::appraisal::detail {
namespace {

namespace json = codec::json;
using crypto::KeyKind;
using crypto::PrivateKey;
using ::testing::HasSubstr;

// Answers GETs from a table of path to body; what it lacks is 404.
class HttpsAnchors : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto key = *PrivateKey::generate(KeyKind::ec_p256);
    const auto now = system_clock().now();
    const auto certificate = crypto::self_sign({.common_name = "127.0.0.1",
                                                .not_before = now - std::chrono::hours{1},
                                                .not_after = now + std::chrono::hours{1},
                                                .ip_addresses = {"127.0.0.1"}},
                                               key);
    ASSERT_TRUE(certificate) << to_string(certificate.error());
    net::ServerOptions options;
    options.sockets = {"127.0.0.1:0"};
    options.tls =
        net::TlsIdentity{.certificate_chain_pem = certificate->to_pem(), .private_key_pem = key.to_pem_pkcs8()};
    auto server = net::HttpServer::start(std::move(options), [this](const net::ServerRequest& request) {
      const auto found = pages_.find(request.path);
      if (found == pages_.end()) return net::ServerResponse::text(404, "text/plain", "absent");
      return net::ServerResponse::text(200, "application/json", found->second);
    });
    ASSERT_TRUE(server) << to_string(server.error());
    server_ = *std::move(server);
    base_ = "https://" + server_->addresses().front();
    auto http = net::HttpClient::create({.extra_root_pems = {certificate->to_pem()}});
    ASSERT_TRUE(http) << to_string(http.error());
    http_ = *std::move(http);
  }

  static std::string jwk_set(std::string_view kid) {
    const auto key = *PrivateKey::generate(KeyKind::ec_p256);
    return json::serialize(
        json::Value{json::Object{{"keys", json::Array{codec::jose::to_jwk(key.public_key(), "ES256", kid)}}}});
  }
  Result<Anchors> load(const std::string& url) { return load_anchors({.trusted_jwk_sets = {url}, .http = http_}); }
  std::string refusal(const std::string& url) {
    const auto anchors = load(url);
    EXPECT_FALSE(anchors);
    if (anchors) return "accepted";
    EXPECT_EQ(anchors.error().code, TokenError::bad_anchor);
    EXPECT_THAT(anchors.error().message, HasSubstr(url));
    return anchors.error().message;
  }

  std::map<std::string, std::string> pages_;  // filled before the first request
  std::unique_ptr<net::HttpServer> server_;
  std::string base_;
  std::shared_ptr<net::HttpClient> http_;
};

TEST_F(HttpsAnchors, a_url_that_is_a_jwk_set_is_taken) {
  pages_["/keys"] = jwk_set("k1");
  const auto anchors = load(base_ + "/keys");
  ASSERT_TRUE(anchors) << to_string(anchors.error());
  EXPECT_NE(anchors->find("k1"), nullptr);
  EXPECT_EQ(anchors->find("k2"), nullptr);
  EXPECT_FALSE(anchors->none());
}

TEST_F(HttpsAnchors, otherwise_the_discovery_document_below_it_leads_to_the_set) {
  pages_["/issuer/.well-known/openid-configuration"] = R"({"jwks_uri":")" + base_ + R"(/keys"})";
  pages_["/keys"] = jwk_set("k1");
  const auto anchors = load(base_ + "/issuer/");
  ASSERT_TRUE(anchors) << to_string(anchors.error());
  EXPECT_NE(anchors->find("k1"), nullptr);
}

TEST_F(HttpsAnchors, neither_of_both_is_an_error_that_says_what_was_found) {
  EXPECT_THAT(refusal(base_ + "/absent"), HasSubstr("404"));
  pages_["/empty/.well-known/openid-configuration"] = "{}";
  EXPECT_THAT(refusal(base_ + "/empty"), HasSubstr("jwks_uri"));
}

TEST_F(HttpsAnchors, a_discovery_document_cannot_lead_to_plain_http) {
  pages_["/issuer/.well-known/openid-configuration"] = R"({"jwks_uri":"http://127.0.0.1/keys"})";
  EXPECT_THAT(refusal(base_ + "/issuer"), HasSubstr("https jwks_uri"));
}

TEST_F(HttpsAnchors, a_set_of_a_server_that_is_not_trusted_is_not_taken) {
  pages_["/keys"] = jwk_set("k1");
  http_ = *net::HttpClient::create();
  refusal(base_ + "/keys");
}

}  // namespace
}  // namespace coffer::appraisal::detail

// Azure's metadata service, played by a server of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "codec/json.h"
#include "crypto/x509.h"
#include "evidence/az_vtpm/az_vtpm.h"
#include "net/http_server_testing.h"

namespace coffer::evidence::az_vtpm {
namespace {

namespace json = codec::json;
using namespace std::chrono_literals;
using net::ServerRequest;
using net::ServerResponse;

std::unique_ptr<Metadata> metadata_of(const net::HttpServer& server) {
  return make_metadata("http://" + server.addresses()[0]);
}

ServerResponse answer(const json::Object& body) {
  return ServerResponse::text(200, "application/json", json::serialize(body));
}

crypto::Certificate certificate() {
  const auto now = system_clock().now();
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p384);
  return *crypto::self_sign({.common_name = "SEV-VCEK", .not_before = now, .not_after = now + 1h}, *key);
}

TEST(Metadata, vcek_is_asked_for_with_the_services_header) {
  const auto vcek = certificate();
  const auto server = net::testing::serve([&vcek](const ServerRequest& request) {
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.path, "/metadata/THIM/amd/certification");
    EXPECT_EQ(request.headers.get("Metadata"), "true");
    return answer({{"vcekCert", vcek.to_pem()}, {"certificateChain", "..."}});
  });
  const auto got = metadata_of(*server)->vcek();
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_EQ(*got, vcek.der());
}

TEST(Metadata, td_quote_is_asked_for_in_urlsafe_base64) {
  const Bytes report(1024, std::byte{0xff});
  const auto server = net::testing::serve([&report](const ServerRequest& request) {
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/acc/tdquote");
    EXPECT_EQ(request.headers.get("Metadata"), "true");
    const auto body = json::parse(as_text(request.body));
    EXPECT_EQ(*body->find("report")->if_string(), codec::base64url_encode(report));
    return answer({{"quote", codec::base64url_encode(to_bytes(std::string_view{"\xff\xff\xfe"}))}});
  });
  const auto got = metadata_of(*server)->td_quote(report);
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_EQ(coffer::to_text(*got), "\xff\xff\xfe");
}

TEST(Metadata, answers_that_make_no_sense_are_the_services_failure) {
  ServerResponse response = ServerResponse::text(500, "text/plain", "no");
  const auto server = net::testing::serve([&response](const ServerRequest&) { return response; });
  const auto metadata = metadata_of(*server);
  const auto expect_failure = [&] {
    EXPECT_EQ(metadata->vcek().error().code, EvidenceError::device_failed);
    EXPECT_EQ(metadata->td_quote(Bytes(1)).error().code, EvidenceError::device_failed);
  };
  expect_failure();
  response = ServerResponse::text(200, "text/plain", "no JSON");
  expect_failure();
  response = answer({});
  expect_failure();
  response = answer({{"vcekCert", "no PEM"}, {"quote", "!"}});
  expect_failure();
}

TEST(Metadata, a_service_that_is_not_there_means_that_this_is_not_azure) {
  const auto metadata = make_metadata("http://127.0.0.1:1");
  EXPECT_EQ(metadata->vcek().error().code, EvidenceError::no_device);
}

}  // namespace
}  // namespace coffer::evidence::az_vtpm

#include "keyclient/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keyclient/fake_broker_testing.h"

namespace coffer::keyclient {
namespace {

using testing::HasSubstr;

class ProbeTest : public testing::Test {
 protected:
  ProbeResult result() { return probe(broker_.url()); }
  void say_info(std::string mode, bool unattested = false) {
    broker_.script(
        "info", 200,
        BrokerInfo{.version = "0.1.0", .mode = std::move(mode), .tees = {"snp"}, .unattested_reads = unattested}
            .serialize());
  }
  FakeBroker broker_;
};

TEST_F(ProbeTest, upstreams_background_check_broker_is_known_by_its_refusal_of_version_zero) {
  const auto found = result();
  EXPECT_EQ(found.kind, BrokerKind::background_check);
  EXPECT_EQ(found.protocol_version, "0.4.0");
  EXPECT_TRUE(found.version_matches);
  EXPECT_EQ(found.software, "Trustee KBS");
  ASSERT_EQ(found.observations.size(), 3U);
  EXPECT_THAT(found.observations[1], HasSubstr("expect =0.4.0"));
  EXPECT_EQ(broker_.requests("attest"), 0U);
}

TEST_F(ProbeTest, an_older_broker_is_told_by_its_version) {
  broker_.refuse("auth", 401, "AttestationError",
                 "Attestation error: KBS Client Protocol Version Mismatch: expect =0.2.0 while the request is 0.0.0");
  const auto found = result();
  EXPECT_EQ(found.kind, BrokerKind::background_check);
  EXPECT_EQ(found.protocol_version, "0.2.0");
  EXPECT_FALSE(found.version_matches);
  EXPECT_THAT(found.advice, HasSubstr("0.2.0"));
}

TEST_F(ProbeTest, a_broker_that_words_its_refusal_otherwise_still_attests) {
  broker_.refuse("auth", 401, "SerdeError", "Serialize/Deserialize failed");
  const auto found = result();
  EXPECT_EQ(found.kind, BrokerKind::background_check);
  EXPECT_EQ(found.protocol_version, "");
}

TEST_F(ProbeTest, a_broker_that_does_not_know_auth_is_passport_only) {
  broker_.refuse("auth", 404, "PluginNotFound", "Plugin auth not found");
  const auto found = result();
  EXPECT_EQ(found.kind, BrokerKind::passport);
  EXPECT_THAT(found.advice, HasSubstr("--issuer-uri"));
}

TEST_F(ProbeTest, our_broker_says_it_itself_in_one_request) {
  say_info("passport");
  const auto found = result();
  EXPECT_EQ(found.kind, BrokerKind::passport);
  EXPECT_EQ(found.software, "coffer-kbs 0.1.0");
  EXPECT_THAT(found.tees, testing::ElementsAre("snp"));
  EXPECT_EQ(found.observations.size(), 1U);
  say_info("background-check");
  EXPECT_EQ(result().kind, BrokerKind::background_check);
}

TEST_F(ProbeTest, our_broker_without_anyone_to_believe_is_told_apart) {
  say_info("no-trust-anchor");
  EXPECT_EQ(result().kind, BrokerKind::no_trust_anchor);
  EXPECT_THAT(result().advice, HasSubstr("attestation_service"));
  say_info("no-trust-anchor", true);
  EXPECT_TRUE(result().unattested_reads);
  EXPECT_THAT(result().advice, HasSubstr("without attestation"));
}

TEST_F(ProbeTest, an_info_page_of_something_else_does_not_convince) {
  broker_.script("info", 200, R"({"status":"ok"})");
  EXPECT_EQ(result().kind, BrokerKind::background_check);  // the behaviour decides
  say_info("a mode of the future");
  EXPECT_EQ(result().kind, BrokerKind::background_check);
}

TEST_F(ProbeTest, a_web_server_is_no_broker) {
  for (const auto* endpoint : {"info", "auth", "resource"}) broker_.script(endpoint, 404, "<html>not found</html>");
  EXPECT_EQ(result().kind, BrokerKind::not_a_broker);
  for (const auto* endpoint : {"info", "auth", "resource"}) broker_.script(endpoint, 200, "<html>welcome</html>");
  EXPECT_EQ(result().kind, BrokerKind::not_a_broker);
}

TEST_F(ProbeTest, a_service_with_errors_of_a_similar_shape_is_no_broker) {
  for (const auto* endpoint : {"info", "auth", "resource"}) {
    broker_.script(endpoint, 404, R"({"type":"about:blank","detail":"no such route"})");
  }
  EXPECT_EQ(result().kind, BrokerKind::not_a_broker);
}

TEST_F(ProbeTest, a_broker_behind_a_proxy_that_hides_its_resources_is_no_broker) {
  broker_.script("resource", 403, "<html>forbidden</html>");
  EXPECT_EQ(result().kind, BrokerKind::not_a_broker);
}

TEST_F(ProbeTest, a_broker_that_serves_an_unattested_read_is_noted) {
  broker_.script("resource", 200, "key");
  EXPECT_TRUE(result().unattested_reads);
}

TEST_F(ProbeTest, nothing_that_answers_is_unreachable) {
  const auto url = broker_.url();
  broker_.stop();
  const auto found = probe(url);
  EXPECT_EQ(found.kind, BrokerKind::unreachable);
  EXPECT_FALSE(found.observations.empty());
  EXPECT_EQ(probe("no address").kind, BrokerKind::unreachable);
}

}  // namespace
}  // namespace coffer::keyclient

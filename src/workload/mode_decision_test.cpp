#include "workload/mode_decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/ocicrypt/packet.h"
#include "testing/vectors.h"
#include "workload/published_key.h"

namespace coffer::workload {
namespace {

using keyclient::BrokerKind;
using keyclient::KeyClientError;
using keyclient::ProbeResult;
using ::testing::HasSubstr;

ProbeResult broker(BrokerKind kind) {
  return {.kind = kind,
          .url = "http://broker",
          .protocol_version = "0.4.0",
          .version_matches = true,
          .observations = {"GET /kbs/v0/info: HTTP 200"},
          .advice = "do this"};
}

void expect_refused(const Result<Decision>& decision, KeyClientError code) {
  ASSERT_FALSE(decision);
  EXPECT_EQ(decision.error().code, code);
  EXPECT_THAT(decision.error().message, ::testing::AllOf(HasSubstr("http://broker"), HasSubstr("do this")));
}

TEST(ModeDecision, background_check_where_the_broker_attests) {
  const auto decision = decide(KeySettings{}, broker(BrokerKind::background_check));
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->mode, Mode::background_check);
  EXPECT_FALSE(decision->unattested);
  EXPECT_THAT(decision->reason, HasSubstr("GET /kbs/v0/info"));
}

TEST(ModeDecision, an_unattested_reader_that_can_attest_does) {
  auto open = broker(BrokerKind::background_check);
  open.unattested_reads = true;
  EXPECT_FALSE(decide(KeySettings{.allow_unattested = true}, open)->unattested);
}

TEST(ModeDecision, a_broker_of_unknown_version_is_tried_and_one_of_another_is_not) {
  auto other = broker(BrokerKind::background_check);
  other.version_matches = false;
  expect_refused(decide(KeySettings{}, other), KeyClientError::version_mismatch);
  other.protocol_version = "";
  EXPECT_TRUE(decide(KeySettings{}, other));
}

TEST(ModeDecision, passport_needs_an_issuer) {
  expect_refused(decide(KeySettings{}, broker(BrokerKind::passport)), KeyClientError::no_attestation_service);
  const auto decision = decide(KeySettings{.issuer_url = "http://issuer"}, broker(BrokerKind::passport));
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->mode, Mode::passport);
}

TEST(ModeDecision, a_broker_without_anchor_is_read_unattested_only_when_both_sides_say_so) {
  auto open = broker(BrokerKind::no_trust_anchor);
  const KeySettings willing{.allow_unattested = true};
  expect_refused(decide(willing, open), KeyClientError::no_trust_anchor);
  open.unattested_reads = true;
  expect_refused(decide(KeySettings{}, open), KeyClientError::no_trust_anchor);
  EXPECT_THAT(decide(KeySettings{}, open).error().message, HasSubstr("--allow-unattested"));
  ASSERT_TRUE(decide(willing, open));
  EXPECT_TRUE(decide(willing, open)->unattested);
}

TEST(ModeDecision, what_is_no_broker_or_does_not_answer_is_said) {
  expect_refused(decide(KeySettings{}, broker(BrokerKind::not_a_broker)), KeyClientError::not_a_broker);
  expect_refused(decide(KeySettings{}, broker(BrokerKind::unreachable)), KeyClientError::unreachable);
}

TEST(ModeDecision, an_open_mode_without_a_broker_asks_for_one) {
  const auto decision = decide(KeySettings{});
  ASSERT_FALSE(decision);
  EXPECT_EQ(decision.error().code, WorkloadError::usage);
}

TEST(ModeDecision, a_chosen_mode_is_taken_without_a_probe) {
  const auto decision =
      decide(KeySettings{.mode = Mode::offline, .mode_reason = "said so", .kbs_url = "http://127.0.0.1:1"});
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->mode, Mode::offline);
  EXPECT_EQ(decision->reason, "said so");
}

TEST(PublishedKey, opens_upstreams_recorded_annotation) {
  COFFER_REQUIRE_VECTORS();
  const auto text = coffer::testing::read_vector_bytes("ocicrypt/sample_kbc_annotation.json");
  const auto packet = image::ocicrypt::AnnotationPacket::parse(text);
  ASSERT_TRUE(packet) << to_string(packet.error());
  PublishedKeySource source;
  const auto key = source.fetch(*packet->key_uri());
  ASSERT_TRUE(key);
  const auto options = packet->open(*key);
  ASSERT_TRUE(options) << to_string(options.error());
  EXPECT_THAT(std::string{as_text(options->expose())}, HasSubstr("symkey"));
}

}  // namespace
}  // namespace coffer::workload

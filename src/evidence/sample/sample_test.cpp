#include "evidence/sample/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::evidence::sample {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

const Bytes digest(48, std::byte{0x11});
const Bytes other(48, std::byte{0x22});
const Bytes init_digest(32, std::byte{0x33});

json::Object valid(std::optional<Bytes> init_data = std::nullopt) {
  return *make_attester(TeeKind::sample, std::move(init_data))->attest(digest)->if_object();
}

Result<std::vector<Claims>> verify(const json::Value& evidence, Binding binding = {digest, std::nullopt}) {
  return make_verifier(TeeKind::sample)->verify(evidence, binding, from_unix_seconds(0));
}

Error refusal(const json::Value& evidence, Binding binding = {digest, std::nullopt}) {
  auto claims = verify(evidence, std::move(binding));
  EXPECT_FALSE(claims);
  return claims ? Error{EvidenceError::no_device, "accepted"} : claims.error();
}

TEST(Sample, evidence_has_upstreams_shape) {
  EXPECT_EQ(json::serialize(*make_attester(TeeKind::sample)->attest(Bytes(3))), R"({"svn":"1","report_data":"AAAA"})");
  EXPECT_EQ(json::serialize(*make_attester(TeeKind::sampledevice)->attest(Bytes(3))),
            R"({"svn":"2","report_data":"AAAA"})");
}

TEST(Sample, claims_are_upstreams) {
  const auto claims = verify(valid());
  ASSERT_TRUE(claims) << to_string(claims.error());
  ASSERT_EQ(claims->size(), 1U);
  EXPECT_EQ(json::serialize(json::Value{claims->front().claims}),
            R"({"svn":"1","launch_digest":"abcde","platform_version":{"major":1,"minor":4},"debug":false})");
  EXPECT_EQ(claims->front().report_data, codec::base64_encode(digest));
  EXPECT_FALSE(claims->front().init_data);
}

TEST(Sample, a_device_claims_its_svn_alone) {
  const auto evidence = make_attester(TeeKind::sampledevice)->attest(digest);
  const auto claims =
      make_verifier(TeeKind::sampledevice)->verify(*evidence, {digest, std::nullopt}, from_unix_seconds(0));
  ASSERT_TRUE(claims);
  EXPECT_EQ(json::serialize(json::Value{claims->front().claims}), R"({"svn":"2"})");
}

TEST(Sample, other_report_data_is_refused_with_expected_and_actual) {
  const auto error = refusal(valid(), {other, std::nullopt});
  EXPECT_EQ(error.code, EvidenceError::report_data_mismatch);
  EXPECT_THAT(error.message, HasSubstr(codec::hex_encode(other)));
  EXPECT_THAT(error.message, HasSubstr(codec::hex_encode(digest)));
}

TEST(Sample, report_data_padded_to_64_bytes_is_refused) {
  auto padded = digest;
  padded.resize(64);
  auto evidence = valid();
  evidence.set("report_data", codec::base64_encode(padded));
  EXPECT_EQ(refusal(evidence).code, EvidenceError::report_data_mismatch);
}

TEST(Sample, report_data_is_not_compared_where_the_caller_binds_none) {
  EXPECT_TRUE(verify(valid(), {}));
}

TEST(Sample, init_data_is_claimed_where_it_was_sent) {
  const auto claims = verify(valid(), {digest, init_digest});
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->front().init_data, codec::hex_encode(init_digest));
}

TEST(Sample, evidence_that_states_init_data_must_state_the_one_that_was_sent) {
  EXPECT_TRUE(verify(valid(init_digest), {digest, init_digest}));
  const auto wrong = refusal(valid(init_digest), {digest, other});
  EXPECT_EQ(wrong.code, EvidenceError::init_data_mismatch);
  EXPECT_THAT(wrong.message, HasSubstr(codec::hex_encode(init_digest)));
  EXPECT_THAT(wrong.message, HasSubstr(codec::hex_encode(other)));
  EXPECT_EQ(refusal(valid(init_digest)).code, EvidenceError::init_data_mismatch);
}

TEST(Sample, malformed_evidence_is_refused) {
  EXPECT_EQ(refusal("text").code, EvidenceError::malformed);
  EXPECT_EQ(refusal(json::Array{}).code, EvidenceError::malformed);
  for (const auto name : {"svn", "report_data"}) {
    auto evidence = valid();
    evidence.erase(name);
    EXPECT_EQ(refusal(evidence).code, EvidenceError::malformed) << name;
    evidence.set(name, 1);
    EXPECT_EQ(refusal(evidence).code, EvidenceError::malformed) << name;
  }
  auto evidence = valid();
  evidence.set("report_data", "not base64!");
  EXPECT_EQ(refusal(evidence).code, EvidenceError::malformed);
  evidence = valid();
  evidence.set("init_data", "not base64!");
  EXPECT_EQ(refusal(evidence, {digest, init_digest}).code, EvidenceError::malformed);
}

}  // namespace
}  // namespace coffer::evidence::sample

#include "evidence/composite.h"

#include <gtest/gtest.h>

#include "evidence/sample/sample.h"

namespace coffer::evidence {
namespace {

ErrorCode refusal(std::string_view text) {
  const auto devices = parse_additional_evidence(text);
  EXPECT_FALSE(devices);
  return devices ? ErrorCode{EvidenceError::no_device} : devices.error().code;
}

TEST(AdditionalEvidence, no_devices_are_the_empty_string) {
  EXPECT_EQ(*collect_additional_evidence({}, Bytes(48)), "");
  EXPECT_TRUE(parse_additional_evidence("")->empty());
}

TEST(AdditionalEvidence, what_is_collected_is_read_back) {
  const auto device = sample::make_attester(TeeKind::sampledevice);
  const Attester* const devices[] = {device.get()};
  const auto text = collect_additional_evidence(devices, Bytes(3));
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, R"({"sampledevice":{"svn":"2","report_data":"AAAA"}})");
  const auto parsed = parse_additional_evidence(*text);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 1U);
  EXPECT_EQ(parsed->front().tee, TeeKind::sampledevice);
  EXPECT_EQ(*parsed->front().evidence.find("report_data")->if_string(), "AAAA");
}

TEST(AdditionalEvidence, text_that_is_no_object_is_refused) {
  EXPECT_EQ(refusal("{"), EvidenceError::malformed);
  EXPECT_EQ(refusal("[]"), EvidenceError::malformed);
  EXPECT_EQ(refusal("\"x\""), EvidenceError::malformed);
}

TEST(AdditionalEvidence, an_unknown_tee_is_refused) {
  EXPECT_EQ(refusal(R"({"abacus":{}})"), EvidenceError::unknown_tee);
}

TEST(AdditionalEvidence, one_tee_under_two_spellings_is_refused) {
  EXPECT_EQ(refusal(R"({"az-snp-vtpm":{},"azsnpvtpm":{}})"), EvidenceError::malformed);
}

}  // namespace
}  // namespace coffer::evidence

#include "evidence/nvidia_dpu/nvidia_dpu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/simulator_root.h"

namespace coffer::evidence::nvidia_dpu {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

json::Object device() {
  static const auto root = *make_simulator_root(from_unix_seconds(1'700'000'000));
  return {{"architecture", "bluefield3"},
          {"alias_cert", codec::base64_encode(root.certificate.der())},
          {"device_id_cert", "AAAA"},
          {"report_data_signature", codec::base64_encode(Bytes(96))}};
}

json::Value evidence(json::Array devices) {
  return json::Object{{"version", 1}, {"devices", std::move(devices)}};
}

ErrorCode refusal(const json::Value& value) {
  return (*make_verifier(TeeKind::nvidia_dpu, {}))->verify(value, {}, from_unix_seconds(0)).error().code;
}

TEST(NvidiaDpu, evidence_is_read_but_never_accepted) {
  const auto claims = (*make_verifier(TeeKind::nvidia_dpu, {}))->verify(evidence({device()}), {}, from_unix_seconds(0));
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, EvidenceError::not_supported);
  EXPECT_THAT(claims.error().message, HasSubstr("root"));
}

TEST(NvidiaDpu, certificates_are_shown_or_named_unreadable) {
  const auto shown = (*make_verifier(TeeKind::nvidia_dpu, {}))->inspect(evidence({device()}));
  ASSERT_TRUE(shown) << to_string(shown.error());
  const json::Value value{*shown};
  EXPECT_TRUE(value.at_pointer("/devices/0/alias_cert/subject"));
  EXPECT_TRUE(value.at_pointer("/devices/0/device_id_cert/unreadable"));
}

TEST(NvidiaDpu, what_is_no_evidence_is_malformed) {
  EXPECT_EQ(refusal(1), EvidenceError::malformed);
  EXPECT_EQ(refusal(json::Object{{"version", "1"}, {"devices", json::Array{device()}}}), EvidenceError::malformed);
  EXPECT_EQ(refusal(evidence({})), EvidenceError::malformed);
  EXPECT_EQ(refusal(evidence(json::Array(17, json::Value{device()}))), EvidenceError::malformed);
  EXPECT_EQ(refusal(evidence({1})), EvidenceError::malformed);
  const auto whole = device();
  for (const auto& [name, member] : whole) {
    auto value = device();
    value.set(name, 1);
    EXPECT_EQ(refusal(evidence({value})), EvidenceError::malformed) << name;
    if (name == "architecture") continue;
    value.set(name, "");
    EXPECT_EQ(refusal(evidence({value})), EvidenceError::malformed) << name;
    value.set(name, codec::base64_encode(Bytes(20U << 10)));
    EXPECT_EQ(refusal(evidence({value})), EvidenceError::malformed) << name;
  }
}

}  // namespace
}  // namespace coffer::evidence::nvidia_dpu

#include "evidence/hygondcu/hygondcu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/json_bytes.h"

namespace coffer::evidence::hygondcu {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

json::Object report() {
  return {{"body", json::Object{{"version", 1},
                                {"chip_id", integers_of(Bytes(16))},
                                {"user_data", integers_of(Bytes(64))},
                                {"measure", integers_of(Bytes(32, std::byte{9}))},
                                {"reserved", integers_of(Bytes(128))},
                                {"sig_usage", 4},
                                {"sig_algo", 4}}},
          {"sig", json::Object{{"r", integers_of(Bytes(72))}, {"s", integers_of(Bytes(72))}}}};
}

json::Value evidence(json::Array reports) {
  return json::Object{{"attestation_reports", std::move(reports)}};
}

ErrorCode refusal(const json::Value& value) {
  return (*make_verifier(TeeKind::hygondcu, {}))->verify(value, {}, from_unix_seconds(0)).error().code;
}

TEST(HygonDcu, evidence_is_read_but_never_accepted) {
  const auto claims = (*make_verifier(TeeKind::hygondcu, {}))->verify(evidence({report()}), {}, from_unix_seconds(0));
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, EvidenceError::not_supported);
  EXPECT_THAT(claims.error().message, HasSubstr("SM2"));
}

TEST(HygonDcu, each_report_is_shown) {
  const auto shown = (*make_verifier(TeeKind::hygondcu, {}))->inspect(evidence({report(), report()}));
  ASSERT_TRUE(shown) << to_string(shown.error());
  const json::Value value{*shown};
  EXPECT_EQ(*value.at_pointer("/attestation_reports/1/measure")->if_string(),
            codec::hex_encode(Bytes(32, std::byte{9})));
}

TEST(HygonDcu, what_is_no_evidence_is_malformed) {
  EXPECT_EQ(refusal(1), EvidenceError::malformed);
  EXPECT_EQ(refusal(evidence({})), EvidenceError::malformed);
  EXPECT_EQ(refusal(evidence(json::Array(33, json::Value{report()}))), EvidenceError::malformed);
  EXPECT_EQ(refusal(evidence({1})), EvidenceError::malformed);
  for (const auto part : {"body", "sig"}) {
    auto without = report();
    without.erase(part);
    EXPECT_EQ(refusal(evidence({without})), EvidenceError::malformed) << part;
    const auto whole = *report().find(part)->if_object();
    for (const auto& [name, member] : whole) {
      auto value = report();
      value.find(part)->if_object()->set(name, "x");
      EXPECT_EQ(refusal(evidence({value})), EvidenceError::malformed) << name;
    }
  }
}

}  // namespace
}  // namespace coffer::evidence::hygondcu

#include "evidence/se/se.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::evidence::se {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

json::Object evidence() {
  const auto base64 = [](std::size_t size) { return codec::base64_encode(Bytes(size, std::byte{7})); };
  return {{"measurement", base64(64)},    {"additional_data", base64(64)},      {"user_data", base64(64)},
          {"cuid", base64(16)},           {"encr_measurement_key", base64(32)}, {"encr_request_nonce", base64(16)},
          {"image_hdr_tags", base64(208)}};
}

ErrorCode refusal(const json::Value& value) {
  return (*make_verifier(TeeKind::se, {}))->verify(value, {}, from_unix_seconds(0)).error().code;
}

TEST(Se, evidence_is_read_but_never_accepted) {
  const auto claims = (*make_verifier(TeeKind::se, {}))->verify(evidence(), {}, from_unix_seconds(0));
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, EvidenceError::not_supported);
  EXPECT_THAT(claims.error().message, HasSubstr("host key documents"));
}

TEST(Se, fields_are_shown) {
  const auto shown = (*make_verifier(TeeKind::se, {}))->inspect(evidence());
  ASSERT_TRUE(shown) << to_string(shown.error());
  EXPECT_EQ(*shown->find("cuid")->if_string(), codec::hex_encode(Bytes(16, std::byte{7})));
  EXPECT_EQ(shown->find("image_tag")->if_string()->size(), 32U);
}

TEST(Se, missing_fields_and_other_sizes_are_malformed) {
  EXPECT_EQ(refusal("text"), EvidenceError::malformed);
  const auto whole = evidence();
  for (const auto& [name, member] : whole) {
    auto value = evidence();
    value.erase(name);
    EXPECT_EQ(refusal(value), EvidenceError::malformed) << name;
    value.set(name, "*");
    EXPECT_EQ(refusal(value), EvidenceError::malformed) << name;
  }
  for (const auto name : {"cuid", "image_hdr_tags"}) {
    auto value = evidence();
    value.set(name, "AAAA");
    EXPECT_EQ(refusal(value), EvidenceError::malformed) << name;
  }
  auto value = evidence();
  value.set("user_data", codec::base64_encode(Bytes((64U << 10) + 1)));
  EXPECT_EQ(refusal(value), EvidenceError::malformed);
}

}  // namespace
}  // namespace coffer::evidence::se

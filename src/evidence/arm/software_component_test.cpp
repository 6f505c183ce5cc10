#include "evidence/arm/software_component.h"

#include <gtest/gtest.h>

#include "evidence/arm/lifecycle.h"
#include "evidence/tee.h"

namespace coffer::evidence::arm {
namespace {

namespace cbor = codec::cbor;

Result<std::vector<SoftwareComponent>> parse(cbor::Value components, bool signer_required = true) {
  const cbor::Value map{cbor::Map{{1, std::move(components)}}};
  const auto fields = *CborFields::open(map, EvidenceError::malformed, "claims");
  return parse_software_components(fields, fields.find(1), EvidenceError::malformed, signer_required);
}

const SoftwareComponent whole{"BL", Bytes(32, std::byte{1}), "1.2", Bytes(64, std::byte{2}), "sha-256"};

TEST(SoftwareComponents, all_members_survive_the_round_trip) {
  const auto parsed =
      parse(encode_software_components({whole, {.measurement_value = Bytes(48), .signer_id = Bytes(32)}}));
  ASSERT_TRUE(parsed) << to_string(parsed.error());
  ASSERT_EQ(parsed->size(), 2U);
  EXPECT_EQ(parsed->front().measurement_type, "BL");
  EXPECT_EQ(parsed->front().signer_id, whole.signer_id);
  EXPECT_EQ(parsed->front().description, "sha-256");
  EXPECT_EQ(codec::json::serialize(claims_of({{.measurement_value = Bytes(32), .signer_id = Bytes(32)}}, "x")),
            R"([{"measurement-value":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",)"
            R"("signer-id":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}])");
}

TEST(SoftwareComponents, values_of_other_sizes_and_missing_ones_are_refused) {
  EXPECT_FALSE(parse(cbor::Array{}));
  EXPECT_FALSE(parse(cbor::Map{}));
  EXPECT_FALSE(parse(cbor::Array(65, cbor::Value{cbor::Map{{2, Bytes(32)}, {5, Bytes(32)}}})));
  EXPECT_FALSE(parse(cbor::Array{cbor::Map{{2, Bytes(31)}, {5, Bytes(32)}}}));
  EXPECT_FALSE(parse(cbor::Array{cbor::Map{{5, Bytes(32)}}}));
  EXPECT_FALSE(parse(cbor::Array{cbor::Map{{1, 1}, {2, Bytes(32)}, {5, Bytes(32)}}}));
  EXPECT_FALSE(parse(cbor::Array{"text"}));
}

TEST(SoftwareComponents, a_signer_is_left_out_only_where_the_profile_lets_it) {
  EXPECT_FALSE(parse(cbor::Array{cbor::Map{{2, Bytes(32)}}}));
  EXPECT_TRUE(parse(cbor::Array{cbor::Map{{2, Bytes(32)}}}, false));
  EXPECT_FALSE(parse(cbor::Array{cbor::Map{{2, Bytes(32)}, {5, Bytes(31)}}}, false));
}

TEST(LifecycleStates, are_ranges_of_256_values) {
  EXPECT_EQ(parse_lifecycle(0x3000), Lifecycle::secured);
  EXPECT_EQ(parse_lifecycle(0x30ff), Lifecycle::secured);
  EXPECT_EQ(parse_lifecycle(0x60ff), Lifecycle::decommissioned);
  for (const std::uint64_t odd : {0x0100U, 0x3100U, 0x7000U, 0x13000U}) EXPECT_FALSE(parse_lifecycle(odd)) << odd;
  EXPECT_EQ(name_of(Lifecycle::secured), "secured");
}

}  // namespace
}  // namespace coffer::evidence::arm

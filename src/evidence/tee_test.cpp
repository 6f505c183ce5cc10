#include "evidence/tee.h"

#include <gtest/gtest.h>

namespace coffer::evidence {
namespace {

TEST(TeeKind, every_kind_is_read_back_from_its_wire_name) {
  for (const auto kind : all_tee_kinds()) {
    const auto parsed = parse_tee_kind(wire_name(kind));
    ASSERT_TRUE(parsed) << wire_name(kind);
    EXPECT_EQ(*parsed, kind);
  }
}

TEST(TeeKind, older_azure_spellings_are_read_and_the_hyphenated_ones_written) {
  EXPECT_EQ(wire_name(*parse_tee_kind("azsnpvtpm")), "az-snp-vtpm");
  EXPECT_EQ(wire_name(*parse_tee_kind("aztdxvtpm")), "az-tdx-vtpm");
}

TEST(TeeKind, an_unknown_name_is_refused_with_the_known_ones) {
  const auto kind = parse_tee_kind("sev");
  ASSERT_FALSE(kind);
  EXPECT_EQ(kind.error().code, EvidenceError::unknown_tee);
  EXPECT_NE(kind.error().message.find("\"sev\""), std::string::npos);
  EXPECT_NE(kind.error().message.find("snp"), std::string::npos);
}

TEST(TeeKind, names_differ_in_case_and_length_are_not_taken_for_each_other) {
  EXPECT_FALSE(parse_tee_kind("SNP"));
  EXPECT_FALSE(parse_tee_kind("sn"));
  EXPECT_FALSE(parse_tee_kind(""));
}

TEST(TeeKind, classes_are_upstreams) {
  EXPECT_EQ(device_class(TeeKind::snp), "cpu");
  EXPECT_EQ(device_class(TeeKind::nvidia), "gpu");
  EXPECT_EQ(device_class(TeeKind::sampledevice), "gpu");
  EXPECT_EQ(device_class(TeeKind::hygondcu), "dcu");
}

TEST(TeeKind, only_the_sample_kinds_are_sample) {
  for (const auto kind : all_tee_kinds()) EXPECT_EQ(is_sample(kind), wire_name(kind).starts_with("sample"));
}

}  // namespace
}  // namespace coffer::evidence

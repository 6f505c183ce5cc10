#include "evidence/binding.h"

#include <gtest/gtest.h>

namespace coffer::evidence {
namespace {

Bytes bytes(std::size_t size, int value) {
  return Bytes(size, static_cast<std::byte>(value));
}

TEST(ReportDataField, holds_the_data_and_zeros_behind_it) {
  auto field = bytes(64, 0);
  std::fill_n(field.begin(), 48, std::byte{7});
  EXPECT_TRUE(check_report_data_field({bytes(48, 7)}, field, "REPORTDATA"));
  EXPECT_TRUE(check_report_data_field({}, field, "REPORTDATA"));
  field[63] = std::byte{1};
  const auto refused = check_report_data_field({bytes(48, 7)}, field, "REPORTDATA");
  EXPECT_EQ(refused.error().code, EvidenceError::report_data_mismatch);
  EXPECT_TRUE(refused.error().message.starts_with("REPORTDATA is expected to be 0707"));
}

TEST(ReportDataField, data_longer_than_the_field_never_matches_by_its_beginning) {
  EXPECT_EQ(check_report_data_field({bytes(65, 7)}, bytes(64, 7), "REPORTDATA").error().code,
            EvidenceError::report_data_mismatch);
}

TEST(InitDataField, holds_the_digest_cut_or_padded) {
  EXPECT_TRUE(check_init_data_field({{}, bytes(64, 7)}, bytes(32, 7), "HOST_DATA"));
  EXPECT_TRUE(check_init_data_field({}, bytes(32, 7), "HOST_DATA"));
  EXPECT_EQ(check_init_data_field({{}, bytes(32, 7)}, bytes(48, 7), "MRCONFIGID").error().code,
            EvidenceError::init_data_mismatch);
}

}  // namespace
}  // namespace coffer::evidence

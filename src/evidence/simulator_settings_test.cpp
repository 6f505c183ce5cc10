#include "evidence/simulator_settings.h"

#include <gtest/gtest.h>

#include <fstream>

#include "testing/temporary_directory.h"

namespace coffer::evidence {
namespace {

class SimulatorSettingsTest : public testing::Test {
 protected:
  void write(std::string_view text) { std::ofstream{simulator_settings_file(directory(), TeeKind::snp)} << text; }
  std::filesystem::path directory() const { return directory_.path(); }
  ErrorCode refusal() const { return load_simulator_settings(directory(), TeeKind::snp).error().code; }

  TemporaryDirectory directory_;
};

TEST_F(SimulatorSettingsTest, without_a_file_nothing_is_turned) {
  const auto settings = load_simulator_settings(directory(), TeeKind::snp);
  ASSERT_TRUE(settings);
  EXPECT_TRUE(settings->faults.empty());
  EXPECT_FALSE(*settings->bytes("measurement"));
}

TEST_F(SimulatorSettingsTest, what_is_saved_is_read_back_for_that_tee_alone) {
  SimulatorSettings settings{.faults = {"debug"}, .values = {{"measurement", "00ff"}, {"svn", 7}}};
  ASSERT_TRUE(save_simulator_settings(directory(), TeeKind::snp, settings));
  const auto read = load_simulator_settings(directory(), TeeKind::snp);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->has_fault("debug"));
  EXPECT_EQ(**read->bytes("measurement", 2), (Bytes{std::byte{0x00}, std::byte{0xff}}));
  EXPECT_EQ(**read->number("svn", 255), 7U);
  EXPECT_TRUE(load_simulator_settings(directory(), TeeKind::tdx)->faults.empty());
}

TEST_F(SimulatorSettingsTest, values_that_do_not_fit_are_refused) {
  const SimulatorSettings settings{.values = {{"measurement", "00f"}, {"svn", 256}, {"list", codec::json::Array{}}}};
  EXPECT_EQ(settings.bytes("measurement").error().code, EvidenceError::bad_config);
  EXPECT_EQ(settings.bytes("list").error().code, EvidenceError::bad_config);
  EXPECT_EQ(settings.number("svn", 255).error().code, EvidenceError::bad_config);
  const SimulatorSettings shorter{.values = {{"measurement", "00ff"}}};
  EXPECT_EQ(shorter.bytes("measurement", 48).error().code, EvidenceError::bad_config);
}

TEST_F(SimulatorSettingsTest, a_file_of_another_shape_is_refused) {
  for (const auto* text :
       {"", "[]", "{\"faults\":\"debug\"}", "{\"faults\":[1]}", "{\"values\":[]}", "{\"fault\":[]}"}) {
    write(text);
    EXPECT_EQ(refusal(), EvidenceError::bad_config) << text;
  }
  write(std::string(70'000, ' '));
  EXPECT_EQ(refusal(), EvidenceError::bad_config);
}

TEST_F(SimulatorSettingsTest, faults_that_no_simulator_knows_are_named) {
  const SimulatorSettings settings{.faults = {"debug", "odd"}};
  EXPECT_TRUE(settings.check_faults({"odd", "debug"}));
  const auto refused = settings.check_faults({"debug", "expired"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EvidenceError::bad_config);
  EXPECT_EQ(refused.error().message, "\"odd\" is no fault of this simulator; known are debug, expired");
}

}  // namespace
}  // namespace coffer::evidence

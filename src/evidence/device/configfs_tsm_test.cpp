#include "evidence/device/configfs_tsm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "evidence/device/fake_tsm_testing.h"
#include "evidence/tee.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::device {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const Bytes inblob(64, std::byte{7});

class ConfigfsTsmTest : public testing::Test {
 protected:
  Result<TsmReport> report(TsmRequest request = {"tdx_guest", inblob}) { return tsm_.report(request); }
  Error refusal(const TsmRequest& request = {"tdx_guest", inblob}) {
    const auto result = tsm_.report(request);
    EXPECT_FALSE(result);
    EXPECT_THAT(files_.directories, IsEmpty());
    return result ? Error{EvidenceError::malformed, "a report came"} : result.error();
  }

  FakeTsm files_;
  ConfigfsTsm tsm_{"/root", files_};
};

TEST_F(ConfigfsTsmTest, one_request_is_one_directory_which_is_removed) {
  const auto result = report();
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->outblob, inblob);
  EXPECT_THAT(result->auxblob, IsEmpty());
  ASSERT_EQ(files_.used_names.size(), 1U);
  EXPECT_THAT(files_.used_names.front(), StartsWith("coffer-"));
  EXPECT_THAT(files_.directories, IsEmpty());
}

TEST_F(ConfigfsTsmTest, names_differ_from_request_to_request) {
  ASSERT_TRUE(report());
  ASSERT_TRUE(report());
  EXPECT_NE(files_.used_names[0], files_.used_names[1]);
}

TEST_F(ConfigfsTsmTest, auxblob_comes_where_it_is_asked_for) {
  const auto result = report({.provider = "tdx_guest", .inblob = inblob, .wants_auxblob = true});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->auxblob, files_.auxblob);
}

TEST_F(ConfigfsTsmTest, a_privilege_level_is_a_write_of_its_own_and_no_conflict) {
  files_.provider = "sev_guest";
  const auto result = report({.provider = "sev_guest", .inblob = inblob, .privlevel = 2});
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(files_.last_privlevel, "2");
}

TEST_F(ConfigfsTsmTest, a_conflict_a_busy_device_and_a_taken_name_are_tried_again) {
  files_.foreign_writes = 1;
  files_.busy_reads = 1;
  EXPECT_TRUE(report());
  EXPECT_EQ(files_.used_names.size(), 3U);
  EXPECT_EQ(files_.pauses, 2U);
  files_.taken_names = 2;
  EXPECT_TRUE(report());
}

TEST_F(ConfigfsTsmTest, after_three_conflicts_it_gives_up) {
  files_.foreign_writes = 3;
  const auto error = refusal();
  EXPECT_EQ(error.code, EvidenceError::device_failed);
  EXPECT_THAT(error.message, HasSubstr("3 attempts"));
  EXPECT_EQ(files_.used_names.size(), 3U);
}

TEST_F(ConfigfsTsmTest, a_machine_without_the_interface_has_no_device) {
  files_.absent = true;
  EXPECT_EQ(refusal().code, EvidenceError::no_device);
  EXPECT_FALSE(tsm_.has_provider("tdx_guest"));
}

TEST_F(ConfigfsTsmTest, another_provider_is_no_device_and_both_are_named) {
  files_.provider = "arm_cca_guest";
  const auto error = refusal();
  EXPECT_EQ(error.code, EvidenceError::no_device);
  EXPECT_THAT(error.message, HasSubstr("tdx_guest, found arm_cca_guest"));
  EXPECT_FALSE(tsm_.has_provider("tdx_guest"));
  EXPECT_TRUE(tsm_.has_provider("arm_cca_guest"));
  EXPECT_THAT(files_.directories, IsEmpty());
}

TEST_F(ConfigfsTsmTest, failures_carry_the_attribute_and_the_reason) {
  for (const std::string attribute : {"mkdir", "provider", "inblob", "outblob", "generation"}) {
    files_.failing = {{attribute, "Input/output error"}};
    const auto error = refusal();
    EXPECT_EQ(error.code, EvidenceError::device_failed) << attribute;
    EXPECT_THAT(error.message, HasSubstr("Input/output error"));
  }
  files_.failing = {{"privlevel", "Invalid argument"}};
  EXPECT_EQ(refusal({.provider = "tdx_guest", .inblob = inblob, .privlevel = 9}).code, EvidenceError::device_failed);
  files_.failing = {{"auxblob", "Invalid argument"}};
  EXPECT_EQ(refusal({.provider = "tdx_guest", .inblob = inblob, .wants_auxblob = true}).code,
            EvidenceError::device_failed);
}

TEST_F(ConfigfsTsmTest, a_host_with_nothing_to_add_is_no_failure) {
  files_.auxblob.clear();
  const auto result = report({.provider = "tdx_guest", .inblob = inblob, .wants_auxblob = true});
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_THAT(result->auxblob, IsEmpty());
}

TEST_F(ConfigfsTsmTest, what_stands_behind_it_is_told_and_nothing_is_left_behind) {
  const ConfigfsTsm tsm{"/", files_};
  EXPECT_EQ(*tsm.provider(), "tdx_guest");
  EXPECT_THAT(files_.directories, IsEmpty());
  files_.failing = {{"provider", "Permission denied"}};
  EXPECT_EQ(tsm.provider().error().code, EvidenceError::device_failed);
  files_.absent = true;
  EXPECT_EQ(tsm.provider().error().code, EvidenceError::no_device);
}

TEST_F(ConfigfsTsmTest, an_empty_report_and_a_generation_that_is_no_number_are_failures) {
  files_.outblob = [](ByteView) { return Bytes{}; };
  EXPECT_THAT(refusal().message, HasSubstr("empty outblob"));
  files_.outblob = [](ByteView blob) { return to_bytes(blob); };
  for (const std::string odd : {"", "x\n", "-1\n", "99999999999999999999\n"}) {
    files_.odd_generation = odd;
    EXPECT_EQ(refusal().code, EvidenceError::device_failed) << odd;
  }
}

TEST_F(ConfigfsTsmTest, report_data_has_1_to_64_bytes) {
  EXPECT_EQ(refusal({"tdx_guest", {}}).code, EvidenceError::malformed);
  const Bytes long_blob(65);
  EXPECT_EQ(refusal({"tdx_guest", long_blob}).code, EvidenceError::malformed);
}

// The operations on real files, in an ordinary directory.
class SystemTsmFilesystemTest : public testing::Test {
 protected:
  TemporaryDirectory own_;
  std::filesystem::path directory_ = own_.path();
  TsmFilesystem& files_ = system_tsm_filesystem();
};

using Outcome = TsmFilesystem::Outcome;

TEST_F(SystemTsmFilesystemTest, directories_are_made_once_and_removed) {
  const auto path = directory_ / "request";
  EXPECT_EQ(files_.make_directory(path).outcome, Outcome::done);
  EXPECT_EQ(files_.make_directory(path).outcome, Outcome::busy);
  EXPECT_EQ(files_.make_directory(path / "a/b").outcome, Outcome::absent);
  EXPECT_EQ(files_.remove_directory(path).outcome, Outcome::done);
  EXPECT_EQ(files_.remove_directory(path).outcome, Outcome::absent);
}

TEST_F(SystemTsmFilesystemTest, attributes_are_written_and_read_but_never_made) {
  const auto file = directory_ / "inblob";
  EXPECT_EQ(files_.write(file, as_bytes("text")).outcome, Outcome::absent);
  EXPECT_EQ(files_.read(file, 10).outcome, Outcome::absent);
  std::ofstream{file}.put(' ');
  EXPECT_EQ(files_.write(file, as_bytes("text")).outcome, Outcome::done);
  const auto read = files_.read(file, 10);
  EXPECT_EQ(read.outcome, Outcome::done);
  EXPECT_EQ(to_text(read.content), "text");
}

TEST_F(SystemTsmFilesystemTest, reading_is_bounded_and_a_directory_is_no_attribute) {
  std::ofstream{directory_ / "outblob"} << std::string(5000, 'x');
  EXPECT_EQ(files_.read(directory_ / "outblob", 4999).outcome, Outcome::failed);
  EXPECT_EQ(files_.read(directory_ / "outblob", 5000).content.size(), 5000U);
  EXPECT_EQ(files_.read(directory_, 10).outcome, Outcome::failed);
}

TEST_F(SystemTsmFilesystemTest, this_machine_without_configfs_has_no_device) {
  EXPECT_EQ(ConfigfsTsm{directory_}.report({"tdx_guest", inblob}).error().code, EvidenceError::no_device);
}

}  // namespace
}  // namespace coffer::evidence::device

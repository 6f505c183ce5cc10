#include "evidence/detect.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace coffer::evidence {
namespace {

namespace fs = std::filesystem;

class Detect : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "coffer-detect-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  void put(const std::string& file, const std::string& content = {}) {
    const auto path = root_ / file.substr(1);
    fs::create_directories(path.parent_path());
    std::ofstream{path} << content;
  }

  fs::path root_;
};

TEST_F(Detect, a_machine_without_devices_has_no_tee_and_never_the_sample) {
  EXPECT_TRUE(detect_tees(root_).empty());
  EXPECT_FALSE(detect_tee(root_));
}

TEST_F(Detect, the_confidential_device_comes_before_the_tpm_beside_it) {
  put("/dev/tpm0");
  put("/dev/sev-guest");
  const auto tees = detect_tees(root_);
  ASSERT_EQ(tees.size(), 2U);
  EXPECT_EQ(tees[0].kind, TeeKind::snp);
  EXPECT_EQ(tees[0].device, "/dev/sev-guest");
  EXPECT_EQ(tees[1].kind, TeeKind::tpm);
}

TEST_F(Detect, two_files_of_one_tee_are_one_tee) {
  put("/dev/tpm0");
  put("/dev/tpmrm0");
  EXPECT_EQ(detect_tees(root_).size(), 1U);
}

TEST_F(Detect, files_whose_content_decides_are_read) {
  put("/sys/firmware/uv/prot_virt_guest", "0\n");
  put("/dev/attestation/attestation_type", "epid\n");
  EXPECT_TRUE(detect_tees(root_).empty());
  put("/sys/firmware/uv/prot_virt_guest", "1\n");
  put("/dev/attestation/attestation_type", "dcap\n");
  const auto tees = detect_tees(root_);
  ASSERT_EQ(tees.size(), 2U);
  EXPECT_EQ(tees[0].kind, TeeKind::sgx);
  EXPECT_EQ(tees[1].kind, TeeKind::se);
}

}  // namespace
}  // namespace coffer::evidence

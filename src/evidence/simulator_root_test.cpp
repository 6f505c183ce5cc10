#include "evidence/simulator_root.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "testing/temporary_directory.h"

namespace coffer::evidence {
namespace {

using namespace std::chrono_literals;

const TimePoint now = *parse_rfc3339("2026-03-01T12:00:00Z");

class SimulatorRootFiles : public testing::Test {
 protected:
  ErrorCode load_failure() {
    const auto loaded = load_simulator_root(directory_);
    return loaded ? ErrorCode{EvidenceError::no_device} : loaded.error().code;
  }
  TemporaryDirectory parent_;
  std::filesystem::path directory_ = parent_.path() / "keys";
};

TEST_F(SimulatorRootFiles, what_is_written_is_loaded_and_the_key_is_for_its_owner) {
  const auto root = make_simulator_root(now);
  ASSERT_TRUE(root) << to_string(root.error());
  EXPECT_TRUE(simulated_subject(root->certificate));
  EXPECT_TRUE(root->certificate.is_ca());
  ASSERT_TRUE(write_simulator_root(directory_, *root));
  ASSERT_TRUE(write_simulator_root(directory_, *root)) << "present files are replaced";
  const auto loaded = load_simulator_root(directory_);
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  EXPECT_EQ(loaded->certificate.der(), root->certificate.der());
  EXPECT_TRUE(loaded->key.public_key() == root->key.public_key());
  struct stat state{};
  ASSERT_EQ(::stat((directory_ / "root.key").c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777U, 0600U);
}

TEST_F(SimulatorRootFiles, absent_broken_and_foreign_files_are_refused) {
  EXPECT_EQ(load_failure(), EvidenceError::bad_config);
  ASSERT_TRUE(write_simulator_root(directory_, *make_simulator_root(now)));
  ASSERT_TRUE(write_simulator_root(directory_, *make_simulator_root(now), "other"));
  std::filesystem::copy_file(directory_ / "other.key", directory_ / "root.key",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(load_failure(), EvidenceError::bad_config) << "a key of another root";
  std::ofstream{directory_ / "root.key"} << "text";
  EXPECT_EQ(load_failure(), EvidenceError::bad_config);
  std::ofstream{directory_ / "root.pem"} << "text";
  EXPECT_EQ(load_failure(), EvidenceError::bad_config);
}

TEST_F(SimulatorRootFiles, a_root_without_the_mark_is_no_simulators) {
  auto root = *make_simulator_root(now);
  root.certificate = *crypto::self_sign(
      {.common_name = "a vendor", .not_before = now, .not_after = now + 1h, .is_ca = true}, root.key);
  ASSERT_TRUE(write_simulator_root(directory_, root));
  EXPECT_EQ(load_failure(), EvidenceError::simulated_refused);
}

TEST_F(SimulatorRootFiles, a_directory_that_cannot_be_made_is_an_error) {
  EXPECT_EQ(write_simulator_root("/proc/nowhere", *make_simulator_root(now)).error().code, EvidenceError::bad_config);
}

}  // namespace
}  // namespace coffer::evidence

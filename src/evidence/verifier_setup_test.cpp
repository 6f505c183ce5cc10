#include "evidence/verifier_setup.h"

#include <gtest/gtest.h>

#include "evidence/simulator_root.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence {
namespace {

const TimePoint now = from_unix_seconds(1'767'225'600);

TEST(VerifierSetup, without_settings_only_hardware_is_verified) {
  const auto registry = make_verifiers({});
  ASSERT_TRUE(registry) << to_string(registry.error());
  EXPECT_FALSE(registry->sample_allowed());
  EXPECT_TRUE(registry->attesters().empty());
}

TEST(VerifierSetup, a_simulated_tee_needs_the_simulators_root) {
  const auto refused = make_verifiers({.allow_tees = {"simulated:nitro"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EvidenceError::bad_config);
  EXPECT_NE(refused.error().message.find("coffer simulate init"), std::string::npos);
}

TEST(VerifierSetup, roots_come_from_files_that_say_what_they_are) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_simulator_root(directory.path(), *make_simulator_root(now)));
  const auto root = directory.path() / "root.pem";
  EXPECT_TRUE(make_verifiers({.allow_tees = {"simulated:nitro"}, .simulator_roots = {root}}));
  EXPECT_EQ(make_verifiers({.simulator_roots = {directory.path() / "other.pem"}}).error().code,
            EvidenceError::bad_config);
}

TEST(VerifierSetup, a_service_is_named_with_its_url) {
  const auto service = parse_collateral_service("amd-kds=http://127.0.0.1:1?a=b");
  ASSERT_TRUE(service);
  EXPECT_EQ(service->first, "amd-kds");
  EXPECT_EQ(service->second, "http://127.0.0.1:1?a=b");
  EXPECT_EQ(parse_collateral_service("amd=http://x").error().code, EvidenceError::bad_config);
  EXPECT_EQ(parse_collateral_service("amd-kds").error().code, EvidenceError::bad_config);
}

}  // namespace
}  // namespace coffer::evidence

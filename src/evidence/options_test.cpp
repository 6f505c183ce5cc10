#include "evidence/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/keys.h"

namespace coffer::evidence {
namespace {

using testing::HasSubstr;

crypto::Certificate root_named(const std::string& name) {
  const auto start = from_unix_seconds(1'767'225'600);
  const auto key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
  return *crypto::self_sign(
      {.common_name = name, .not_before = start, .not_after = start + std::chrono::hours{24}, .is_ca = true}, key);
}

TEST(TeeChoice, a_simulated_tee_is_named_with_its_prefix) {
  EXPECT_EQ(*parse_tee_choice("snp"), (TeeChoice{TeeKind::snp, false}));
  EXPECT_EQ(*parse_tee_choice("simulated:tdx"), (TeeChoice{TeeKind::tdx, true}));
  EXPECT_EQ(to_text({TeeKind::az_snp_vtpm, true}), "simulated:az-snp-vtpm");
}

TEST(TeeChoice, nothing_simulates_the_sample_tee) {
  EXPECT_EQ(parse_tee_choice("simulated:sample").error().code, EvidenceError::unknown_tee);
  EXPECT_EQ(parse_tee_choice("simulated:").error().code, EvidenceError::unknown_tee);
  EXPECT_EQ(parse_tee_choice("simulated:simulated:snp").error().code, EvidenceError::unknown_tee);
}

TEST(SimulatorRoots, a_root_says_that_it_is_simulated_or_is_refused) {
  const auto marked = root_named("SIMULATED, NOT SECURE: SNP root");
  const auto roots = parse_simulator_roots(marked.to_pem());
  ASSERT_TRUE(roots) << roots.error().message;
  EXPECT_THAT(*simulated_subject(roots->front()), HasSubstr("SIMULATED, NOT SECURE"));
  const auto unmarked = parse_simulator_roots(marked.to_pem() + root_named("AMD root").to_pem());
  EXPECT_EQ(unmarked.error().code, EvidenceError::simulated_refused);
  EXPECT_THAT(unmarked.error().message, HasSubstr("AMD root"));
}

TEST(SimulatorRoots, they_count_only_for_the_tees_that_were_chosen) {
  VerifierOptions options;
  options.simulator_roots = {root_named("SIMULATED, NOT SECURE: root")};
  options.simulated_tees = {TeeKind::snp};
  EXPECT_EQ(options.simulated_roots(TeeKind::snp).size(), 1U);
  EXPECT_TRUE(options.simulated_roots(TeeKind::tdx).empty());
}

}  // namespace
}  // namespace coffer::evidence

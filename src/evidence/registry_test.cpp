#include "evidence/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/log.h"

namespace coffer::evidence {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

TEST(Registry, sample_is_refused_until_it_is_chosen_by_name_and_the_switch_is_named) {
  const auto registry = Registry::create({.allow_switch = "coffer-kbs --allow-tee"});
  ASSERT_TRUE(registry);
  EXPECT_FALSE(registry->sample_allowed());
  EXPECT_THAT(registry->verifiers(), Not(Contains(TeeKind::sample)));
  EXPECT_THAT(registry->attesters(), Not(Contains(TeeKind::sampledevice)));
  const auto verifier = registry->verifier(TeeKind::sample);
  ASSERT_FALSE(verifier);
  EXPECT_EQ(verifier.error().code, EvidenceError::tee_not_allowed);
  EXPECT_THAT(verifier.error().message, HasSubstr("coffer-kbs --allow-tee sample"));
  EXPECT_EQ(registry->attester(TeeKind::sampledevice).error().code, EvidenceError::tee_not_allowed);
}

TEST(Registry, choosing_sample_is_loud_and_does_not_choose_the_device) {
  log::set_filter("evidence=warn");
  testing::internal::CaptureStderr();
  const auto registry = Registry::create({.allow_tees = {"sample"}});
  const auto written = testing::internal::GetCapturedStderr();
  log::init("test", log::Level::off);
  ASSERT_TRUE(registry);
  EXPECT_THAT(written, HasSubstr("evidence.sample_in_use"));
  EXPECT_TRUE(registry->sample_allowed());
  EXPECT_THAT(registry->verifiers(), Contains(TeeKind::sample));
  EXPECT_THAT(registry->attesters(), Contains(TeeKind::sample));
  EXPECT_THAT(registry->verifiers(), Not(Contains(TeeKind::sampledevice)));
  EXPECT_TRUE(registry->verifier(TeeKind::sample));
  EXPECT_EQ(registry->verifier(TeeKind::sampledevice).error().code, EvidenceError::tee_not_allowed);
}

std::vector<TeeKind> missing_tees() {
  const auto present = built_in_tees();
  std::vector<TeeKind> out;
  for (const auto kind : all_tee_kinds()) {
    if (std::ranges::find(present, kind) == present.end()) out.push_back(kind);
  }
  return out;
}

TEST(Registry, hardware_without_code_in_this_build_is_not_supported) {
  const auto registry = Registry::create({.allow_tees = {"sample"}});
  ASSERT_TRUE(registry);
  for (const auto kind : missing_tees()) {
    EXPECT_EQ(registry->attester(kind).error().code, EvidenceError::not_supported) << wire_name(kind);
    EXPECT_EQ(registry->verifier(kind).error().code, EvidenceError::not_supported) << wire_name(kind);
    EXPECT_EQ(Registry::create({.allow_tees = {std::string{wire_name(kind)}}}).error().code,
              EvidenceError::not_supported);
  }
}

TEST(Registry, hardware_with_code_needs_no_choice) {
  const auto registry = Registry::create();
  ASSERT_TRUE(registry) << to_string(registry.error());
  for (const auto kind : built_in_tees()) {
    if (is_sample(kind)) continue;
    EXPECT_TRUE(registry->reader(kind)) << wire_name(kind);
    EXPECT_EQ(registry->verifier(kind).has_value(), testing::Value(registry->verifiers(), Contains(kind)))
        << wire_name(kind);
  }
}

TEST(Registry, what_can_only_be_shown_is_no_verifier) {
  const auto registry = Registry::create();
  ASSERT_TRUE(registry);
  for (const auto kind : {TeeKind::csv, TeeKind::se, TeeKind::hygondcu, TeeKind::nvidia_dpu}) {
    EXPECT_EQ(registry->verifier(kind).error().code, EvidenceError::not_supported) << wire_name(kind);
    EXPECT_THAT(registry->verifiers(), Not(Contains(kind))) << wire_name(kind);
  }
}

TEST(Registry, choosing_what_nobody_knows_or_this_build_lacks_is_an_error) {
  EXPECT_EQ(Registry::create({.allow_tees = {"simple"}}).error().code, EvidenceError::unknown_tee);
  EXPECT_EQ(Registry::create({.allow_tees = {"simulated:sample"}}).error().code, EvidenceError::unknown_tee);
}

TEST(Registry, built_in_tees_are_reported_whether_allowed_or_not) {
  EXPECT_THAT(built_in_tees(), IsSupersetOf({TeeKind::sample, TeeKind::sampledevice}));
}

}  // namespace
}  // namespace coffer::evidence

#include "appraisal/policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::appraisal {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view minimal = "package policy\n\ntrust_claims := {\"hardware\": 2}\n";

class Policies : public ::testing::Test {
 protected:
  std::shared_ptr<storage::KeyValueStore> store_ = storage::make_memory_store();
  PolicyStore policies_{store_};
};

TEST_F(Policies, defaults_are_installed_under_upstreams_ids) {
  ASSERT_TRUE(policies_.install_defaults());
  EXPECT_THAT(*policies_.list(), ElementsAre("default_cpu", "default_gpu", "default_ppcie", "default_switch"));
  EXPECT_TRUE(store_->get("attestation_service_policy", "default_cpu.rego")->has_value());
}

TEST_F(Policies, an_owners_policy_is_not_replaced_by_the_default) {
  ASSERT_TRUE(policies_.set("default_cpu", minimal));
  ASSERT_TRUE(policies_.install_defaults());
  EXPECT_EQ(*policies_.text("default_cpu"), std::string{minimal});
  EXPECT_TRUE(policies_.text("default_gpu")->has_value());
}

TEST_F(Policies, are_set_read_back_listed_and_erased) {
  ASSERT_TRUE(policies_.set("strict_cpu", minimal));
  EXPECT_EQ(*policies_.text("strict_cpu"), std::string{minimal});
  EXPECT_THAT(*policies_.list(), ElementsAre("strict_cpu"));
  EXPECT_TRUE(*policies_.erase("strict_cpu"));
  EXPECT_FALSE(*policies_.erase("strict_cpu"));
  EXPECT_FALSE(policies_.text("strict_cpu")->has_value());
}

TEST_F(Policies, syntax_is_checked_before_anything_is_stored) {
  const auto set = policies_.set("broken_cpu", "package policy\n\ntrust_claims := {");
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, policy::PolicyError::syntax);
  EXPECT_FALSE(policies_.text("broken_cpu")->has_value());
}

TEST_F(Policies, ids_that_could_lead_elsewhere_are_refused) {
  for (const auto& id :
       {std::string{}, std::string{".."}, std::string{"a/b"}, std::string{"a b"}, std::string(129, 'a')}) {
    EXPECT_EQ(policies_.set(id, minimal).error().code, AppraisalError::bad_policy_id) << id;
    EXPECT_EQ(policies_.text(id).error().code, AppraisalError::bad_policy_id) << id;
    EXPECT_EQ(policies_.erase(id).error().code, AppraisalError::bad_policy_id) << id;
    EXPECT_EQ(policies_.load(id).error().code, AppraisalError::bad_policy_id) << id;
  }
}

TEST_F(Policies, one_content_is_parsed_once_and_a_new_one_counts_at_once) {
  ASSERT_TRUE(policies_.set("x_cpu", minimal));
  const auto first = policies_.load("x_cpu");
  ASSERT_TRUE(first);
  EXPECT_EQ(*policies_.load("x_cpu"), *first);
  // As another replica would, past this object.
  ASSERT_TRUE(store_->put("attestation_service_policy", "x_cpu.rego",
                          as_bytes("package policy\n\ntrust_claims := {\"hardware\": 97}\n")));
  const auto second = policies_.load("x_cpu");
  ASSERT_TRUE(second);
  EXPECT_NE(*second, *first);
}

TEST_F(Policies, many_changes_do_not_pile_up_and_still_load) {
  for (int i = 0; i < 70; ++i) {
    ASSERT_TRUE(policies_.set("x_cpu", std::string{minimal} + "# " + std::to_string(i) + "\n"));
    ASSERT_TRUE(policies_.load("x_cpu"));
  }
}

TEST_F(Policies, a_missing_one_is_named) {
  const auto policy = policies_.load("default_dcu");
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().code, AppraisalError::unknown_policy);
  EXPECT_NE(policy.error().message.find("default_dcu"), std::string::npos);
}

}  // namespace
}  // namespace coffer::appraisal

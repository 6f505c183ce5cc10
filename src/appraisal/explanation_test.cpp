#include "appraisal/detail/explanation.h"

#include <gtest/gtest.h>

namespace coffer::appraisal::detail {
namespace {

namespace json = codec::json;

policy::Condition failing(std::string rule, std::string claim) {
  return {.rule = std::move(rule), .line = 1, .text = claim, .held = false, .claim = claim};
}

TrustVector vector(std::int8_t hardware) {
  TrustVector out;
  EXPECT_TRUE(out.set("hardware", hardware));
  EXPECT_TRUE(out.set("file-system", 0));
  return out;
}

const json::Object sample_input{{"sample", json::Object{{"svn", "1"}}}, {"report_data", "aa"}};

TEST(Explanation, keeps_what_failed_for_this_tee) {
  const auto kept = relevant_conditions({failing("hardware", "input.sample.svn")}, sample_input, vector(97));
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept.front().claim, "input.sample.svn");
}

TEST(Explanation, drops_rules_of_other_tees_in_either_spelling) {
  EXPECT_TRUE(relevant_conditions({failing("hardware", "input.snp"), failing("hardware", "input[\"az-snp-vtpm\"].tpm")},
                                  sample_input, vector(97))
                  .empty());
}

TEST(Explanation, keeps_paths_that_are_no_tee_and_conditions_without_a_path) {
  auto bare = failing("hardware", "x");
  bare.claim.reset();
  const auto kept = relevant_conditions({failing("hardware", "input.init_data"), failing("hardware", "data.x"), bare},
                                        sample_input, vector(97));
  EXPECT_EQ(kept.size(), 3U);
}

TEST(Explanation, drops_what_held_and_rules_whose_claim_is_affirming_all_the_same) {
  auto held = failing("hardware", "input.sample.svn");
  held.held = true;
  EXPECT_TRUE(relevant_conditions({held}, sample_input, vector(97)).empty());
  EXPECT_TRUE(relevant_conditions({failing("hardware", "input.sample.svn")}, sample_input, vector(2)).empty());
  EXPECT_TRUE(relevant_conditions({failing("file_system", "input.sample.svn")}, sample_input, vector(2)).empty());
  EXPECT_EQ(relevant_conditions({failing("helper", "input.sample.svn")}, sample_input, vector(2)).size(), 1U);
}

}  // namespace
}  // namespace coffer::appraisal::detail

#include "appraisal/detail/external_claims.h"

#include <gtest/gtest.h>

namespace coffer::appraisal {
namespace {

namespace json = codec::json;

json::Object parsed(std::string_view text) {
  return *json::parse(text)->if_object();
}

std::vector<policy::Condition> explain(std::string_view claims, std::string_view references) {
  const auto known = parsed(references);
  const auto conditions = detail::external_claim_conditions(
      parsed(claims), [&known](const std::string& id) -> Result<std::optional<json::Value>> {
        const auto* value = known.find(id);
        return value == nullptr ? std::nullopt : std::optional{*value};
      });
  EXPECT_TRUE(conditions) << to_string(conditions.error());
  return conditions.value_or(std::vector<policy::Condition>{});
}

constexpr std::string_view references = R"({"external_toy_executables":["image.digest"],
  "external_toy_image_digest":["a","b"],"external_toy_hardware":["svn"],"external_toy_svn":[3]})";

TEST(ExternalClaims, that_are_as_the_owner_says_need_no_explanation) {
  EXPECT_TRUE(explain(R"({"external":{"toy":{"image":{"digest":"b"},"svn":3}}})", references).empty());
}

TEST(ExternalClaims, that_differ_are_named_with_both_values) {
  const auto conditions = explain(R"({"external":{"toy":{"image":{"digest":"x"},"svn":3}}})", references);
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_EQ(conditions[0].rule, "executables");
  EXPECT_EQ(conditions[0].claim, "input.external.toy.image.digest");
  EXPECT_EQ(*conditions[0].actual, json::Value{"x"});
  EXPECT_EQ(*conditions[0].expected, (json::Value{json::Array{"a", "b"}}));
  EXPECT_NE(conditions[0].text.find("external_toy_image_digest"), std::string::npos);
}

TEST(ExternalClaims, that_are_missing_or_of_which_no_value_is_known_are_named) {
  EXPECT_EQ(explain(R"({"external":{"toy":{"image":"b","svn":3}}})", references).size(), 1U);
  const auto unknown = explain(R"({"external":{"toy":{"svn":3}}})", R"({"external_toy_hardware":["svn",7]})");
  ASSERT_EQ(unknown.size(), 1U);
  EXPECT_TRUE(unknown[0].expected->is_null());
}

TEST(ExternalClaims, of_which_none_is_named_or_that_are_another_tees_are_passed_over) {
  EXPECT_TRUE(explain(R"({"external":{"other":{"svn":1}}})", references).empty());
  EXPECT_TRUE(explain(R"({"snp":{"svn":1}})", references).empty());
  EXPECT_TRUE(explain(R"({"external":"toy"})", references).empty());
}

}  // namespace
}  // namespace coffer::appraisal

// Explanations, on policies of the two kinds that the broker evaluates.
#include <gtest/gtest.h>

#include <algorithm>

#include "policy/engine.h"

namespace coffer::policy {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

// Shaped like the default policy for CPUs: a value for each claim, alternatives for each kind of TEE.
constexpr std::string_view cpu_policy = R"(package policy

import rego.v1

default executables := 33
default hardware := 97

trust_claims := {"executables": executables, "hardware": hardware}

executables := 3 if {
  launch := input.sample.launch_digest
  launch in query_reference_value("launch_digest")
}

executables := 3 if {
  input.snp.measurement in query_reference_value("snp_launch_measurement")
}

hardware := 2 if {
  input.sample.svn in query_reference_value("svn")
  input.sample.platform_version.major == query_reference_value("major_version")
  input.sample.platform_version.minor >= query_reference_value("minimum_minor_version")
}
)";

Object sample_claims() {
  return Object{
      {"sample",
       Object{{"launch_digest", "abc"}, {"svn", "1"}, {"platform_version", Object{{"major", 1}, {"minor", 4}}}}}};
}

Result<std::optional<Value>> reference_value(const std::string& id) {
  if (id == "launch_digest") return Value{Array{"abc", "def"}};
  if (id == "svn") return Value{Array{"1"}};
  if (id == "major_version") return Value{1};
  if (id == "minimum_minor_version") return Value{3};
  return std::nullopt;
}

Evaluation explained(std::string_view text, Value input, std::string query,
                     ReferenceValues reference_values = reference_value) {
  auto policy = Policy::parse("test.rego", std::string{text});
  if (!policy) {
    ADD_FAILURE() << to_string(policy.error());
    return {};
  }
  auto evaluation = policy->evaluate({.query = std::move(query),
                                      .input = std::move(input),
                                      .reference_values = std::move(reference_values),
                                      .budget = std::chrono::seconds{20},
                                      .explain = true});
  if (!evaluation) {
    ADD_FAILURE() << to_string(evaluation.error());
    return {};
  }
  return std::move(*evaluation);
}

Evaluation explained_rule(const std::string& rules, Value input) {
  return explained("package policy\n" + rules, std::move(input), "data.policy.allow", {});
}

TEST(Explanation, names_rule_claim_actual_and_expected_of_a_wrong_digest) {
  auto claims = sample_claims();
  claims.find("sample")->if_object()->set("launch_digest", "evil");
  const auto evaluation = explained(cpu_policy, claims, "data.policy.trust_claims");
  EXPECT_EQ(evaluation.value->find("executables")->if_int64(), 33);
  ASSERT_FALSE(evaluation.conditions.empty());
  const auto& first = evaluation.conditions.front();
  EXPECT_FALSE(first.held);
  EXPECT_EQ(first.rule, "executables");
  EXPECT_EQ(first.line, 12U);
  EXPECT_EQ(first.text, R"(launch in query_reference_value("launch_digest"))");
  EXPECT_EQ(first.claim, "input.sample.launch_digest");
  EXPECT_EQ(first.actual, Value{"evil"});
  EXPECT_EQ(first.expected, (Value{Array{"abc", "def"}}));
}

TEST(Explanation, shows_a_comparison_with_a_reference_value) {
  auto claims = sample_claims();
  claims.find("sample")->if_object()->find("platform_version")->if_object()->set("minor", 2);
  const auto evaluation = explained(cpu_policy, claims, "data.policy.trust_claims");
  const auto& first = evaluation.conditions.front();
  EXPECT_FALSE(first.held);
  EXPECT_EQ(first.rule, "hardware");
  EXPECT_EQ(first.claim, "input.sample.platform_version.minor");
  EXPECT_EQ(first.actual, Value{2});
  EXPECT_EQ(first.expected, Value{3});
}

TEST(Explanation, tells_an_absent_reference_value_from_an_absent_claim) {
  const auto evaluation = explained(cpu_policy, sample_claims(), "data.policy.trust_claims",
                                    [](const std::string&) -> Result<std::optional<Value>> { return std::nullopt; });
  const auto& first = evaluation.conditions.front();
  EXPECT_EQ(first.claim, "input.sample.launch_digest");
  EXPECT_EQ(first.actual, Value{"abc"});
  EXPECT_EQ(first.expected, Value{nullptr});
}

TEST(Explanation, lists_what_held_after_what_did_not) {
  const auto evaluation = explained(cpu_policy, sample_claims(), "data.policy.trust_claims");
  EXPECT_EQ(evaluation.value->find("executables")->if_int64(), 3);
  EXPECT_EQ(evaluation.value->find("hardware")->if_int64(), 2);
  const auto& conditions = evaluation.conditions;
  EXPECT_TRUE(std::ranges::is_sorted(conditions, {}, &Condition::held));
  const auto minor = std::ranges::find(conditions, "input.sample.platform_version.minor", &Condition::claim);
  ASSERT_NE(minor, conditions.end());
  EXPECT_TRUE(minor->held);
  EXPECT_EQ(minor->actual, Value{4});
  const auto snp = std::ranges::find(conditions, "input.snp.measurement", &Condition::claim);
  ASSERT_NE(snp, conditions.end());
  EXPECT_FALSE(snp->held);
  EXPECT_EQ(snp->actual, std::nullopt);
}

struct Comparison {
  std::string condition;
  Value actual;
  Value expected;
};

class ExplainedComparison : public ::testing::TestWithParam<Comparison> {};

TEST_P(ExplainedComparison, gives_both_operands) {
  const auto& [condition, actual, expected] = GetParam();
  const auto evaluation = explained_rule("allow if {\n  " + condition + "\n}\n", Object{{"n", 5}, {"s", "a"}});
  EXPECT_EQ(evaluation.value, std::nullopt);
  ASSERT_EQ(evaluation.conditions.size(), 1U);
  const auto& only = evaluation.conditions.front();
  EXPECT_EQ(only.rule, "allow");
  EXPECT_EQ(only.line, 3U);
  EXPECT_EQ(only.text, condition);
  EXPECT_EQ(only.claim, actual.is_string() ? "input.s" : "input.n");
  EXPECT_EQ(only.actual, actual);
  EXPECT_EQ(only.expected, expected);
}

INSTANTIATE_TEST_SUITE_P(Operators, ExplainedComparison,
                         ::testing::Values(Comparison{"input.n == 6", 5, 6}, Comparison{"input.n != 5", 5, 5},
                                           Comparison{"input.n < 5", 5, 5}, Comparison{"input.n <= 4", 5, 4},
                                           Comparison{"input.n > 5", 5, 5}, Comparison{"input.n >= 6", 5, 6},
                                           Comparison{"6 == input.n", 5, 6}, Comparison{"input.n = 7", 5, 7},
                                           Comparison{R"(input.s in ["b", "c"])", "a", Array{"b", "c"}},
                                           Comparison{R"(input.s == concat("", ["a", "b"]))", "a", "ab"},
                                           Comparison{"input.n == count([1, 2]) + 1", 5, 3}),
                         [](const auto& info) { return "case_" + std::to_string(info.index); });

TEST(Explanation, handles_negation_and_bare_claims) {
  const auto negation = explained_rule("allow if {\n  not input.debug\n}\n", Object{{"debug", true}});
  ASSERT_EQ(negation.conditions.size(), 1U);
  EXPECT_EQ(negation.conditions[0].claim, "input.debug");
  EXPECT_EQ(negation.conditions[0].actual, Value{true});
  EXPECT_EQ(negation.conditions[0].expected, Value{false});

  const auto bare = explained_rule("allow if {\n  input.secure\n}\n", Object{{"secure", false}});
  ASSERT_EQ(bare.conditions.size(), 1U);
  EXPECT_EQ(bare.conditions[0].claim, "input.secure");
  EXPECT_EQ(bare.conditions[0].actual, Value{false});
  EXPECT_EQ(bare.conditions[0].expected, Value{true});
}

TEST(Explanation, tells_conditions_on_one_line_apart) {
  const auto evaluation =
      explained_rule("allow if { input.a == 1; input.b == 2; input.c == 3 }\n", Object{{"a", 1}, {"b", 7}});
  ASSERT_EQ(evaluation.conditions.size(), 2U);
  EXPECT_EQ(evaluation.conditions[0].claim, "input.b");
  EXPECT_FALSE(evaluation.conditions[0].held);
  EXPECT_EQ(evaluation.conditions[1].claim, "input.a");
  EXPECT_TRUE(evaluation.conditions[1].held);
}

TEST(Explanation, names_the_item_that_broke_an_every) {
  const auto evaluation = explained_rule(
      "allow if {\n  count(input.submods) > 0\n  every name, submod in input.submods {\n"
      "    submod[\"ear.status\"] == \"affirming\"\n  }\n}\n",
      Object{{"submods", Object{{"cpu0", Object{{"ear.status", "affirming"}}},
                                {"gpu0", Object{{"ear.status", "contraindicated"}}}}}});
  EXPECT_EQ(evaluation.value, std::nullopt);
  const auto& first = evaluation.conditions.front();
  EXPECT_FALSE(first.held);
  EXPECT_EQ(first.line, 5U);
  EXPECT_EQ(first.claim, R"(input.submods["gpu0"]["ear.status"])");
  EXPECT_EQ(first.actual, Value{"contraindicated"});
  EXPECT_EQ(first.expected, Value{"affirming"});
}

TEST(Explanation, shows_a_condition_on_a_loop_variable_by_its_text) {
  const auto evaluation = explained_rule("allow if {\n  some item in input.items\n  item.size > 10\n}\n",
                                         Object{{"items", Array{Object{{"size", 1}}, Object{{"size", 2}}}}});
  ASSERT_EQ(evaluation.conditions.size(), 2U);
  EXPECT_FALSE(evaluation.conditions[0].held);
  EXPECT_EQ(evaluation.conditions[0].text, "item.size > 10");
  EXPECT_EQ(evaluation.conditions[0].actual, std::nullopt);
  EXPECT_EQ(evaluation.conditions[0].expected, Value{10});
  EXPECT_EQ(evaluation.conditions[1].claim, "input.items");
}

TEST(Explanation, follows_rules_and_functions_that_a_rule_uses) {
  const auto evaluation = explained_rule(
      "allow if {\n  trusted\n  twice(input.n) == 8\n}\ntrusted if {\n  input.level >= 2\n}\ntwice(v) := v * 2\n",
      Object{{"level", 3}, {"n", 3}});
  const auto& first = evaluation.conditions.front();
  EXPECT_EQ(first.text, "twice(input.n) == 8");
  EXPECT_EQ(first.actual, Value{6});
  EXPECT_EQ(first.expected, Value{8});
  const auto denied =
      explained_rule("allow if {\n  trusted\n}\ntrusted if {\n  input.level >= 2\n}\n", Object{{"level", 1}});
  const auto level = std::ranges::find(denied.conditions, "trusted", &Condition::rule);
  ASSERT_NE(level, denied.conditions.end());
  EXPECT_EQ(level->claim, "input.level");
  EXPECT_FALSE(level->held);
}

TEST(Explanation, copes_with_the_longest_expressions) {
  std::string path = "input";
  for (int i = 0; i < 395; ++i) path += ".a";
  std::string rules = "allow if {\n  input.n == 1\n";
  for (int i = 0; i < 5; ++i) rules += "  " + path + "\n";
  const auto evaluation = explained_rule(rules + "}\n", Object{{"n", 2}});
  ASSERT_EQ(evaluation.conditions.size(), 1U);
  EXPECT_EQ(evaluation.conditions[0].claim, "input.n");
}

TEST(Explanation, that_cannot_be_made_in_time_leaves_the_decision_standing) {
  std::string path = "input";
  for (int i = 0; i < 395; ++i) path += ".a";
  std::string rules = "package policy\nallow := false if {\n  input.n == 1\n}\nother if {\n";
  for (int i = 0; i < 75; ++i) rules += "  " + path + "\n";
  auto policy = Policy::parse("test.rego", rules + "}\n");
  ASSERT_TRUE(policy) << to_string(policy.error());
  const auto evaluation = policy->evaluate({.query = "data.policy.allow",
                                            .input = Object{{"n", 1}},
                                            .budget = std::chrono::milliseconds{50},
                                            .explain = true});
  ASSERT_TRUE(evaluation) << to_string(evaluation.error());
  EXPECT_EQ(evaluation->value, Value{false});
}

TEST(Explanation, is_left_out_for_policies_that_are_too_large) {
  const std::string comment(200'000, '#');
  const auto evaluation = explained_rule(comment + "\nallow if input.n == 1\n", Object{{"n", 2}});
  EXPECT_EQ(evaluation.value, std::nullopt);
  EXPECT_TRUE(evaluation.conditions.empty());
}

TEST(Explanation, of_a_denied_resource_names_its_path) {
  auto policy = Policy::parse("resource.rego", R"(package policy
default allow := false
allow if {
  data["resource-path"][0] == "default"
  input.submods.cpu0["ear.status"] == "affirming"
}
)");
  ASSERT_TRUE(policy) << to_string(policy.error());
  EvaluationRequest request{.query = "data.policy.allow",
                            .input = Object{},
                            .data = Object{{"resource-path", Array{"other", "key", "k"}}},
                            .explain = true};
  const auto evaluation = policy->evaluate(request);
  ASSERT_TRUE(evaluation) << to_string(evaluation.error());
  EXPECT_EQ(evaluation->value, Value{false});
  const auto& first = evaluation->conditions.front();
  EXPECT_EQ(first.text, R"(data["resource-path"][0] == "default")");
  EXPECT_EQ(first.claim, R"(data["resource-path"][0])");
  EXPECT_EQ(first.actual, Value{"other"});
  EXPECT_EQ(first.expected, Value{"default"});
}

}  // namespace
}  // namespace coffer::policy

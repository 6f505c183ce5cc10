#include "policy/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "policy/detail/evaluation_pool.h"

namespace coffer::policy {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;
using std::chrono::milliseconds;

// The kind of policy that decides about a resource.
constexpr std::string_view resource_policy = R"(package policy

import rego.v1

default allow := false

allow if {
  data.plugin == "resource"
  input.submods.cpu0["ear.status"] == "affirming"
}
)";

Policy parsed(std::string_view text) {
  auto policy = Policy::parse("test.rego", std::string{text});
  if (!policy) ADD_FAILURE() << to_string(policy.error());
  return std::move(*policy);
}

EvaluationRequest allow_request(std::string_view status) {
  return {.query = "data.policy.allow",
          .input = Object{{"submods", Object{{"cpu0", Object{{"ear.status", status}}}}}},
          .data = Object{{"plugin", "resource"}, {"resource-path", Array{"default", "key", "k1"}}}};
}

Result<Evaluation> evaluate(std::string_view rules, std::string query = "data.policy.x",
                            Duration budget = std::chrono::seconds{20}) {
  auto policy = TRY(Policy::parse("test.rego", "package policy\n" + std::string{rules}));
  return policy.evaluate({.query = std::move(query), .input = Object{}, .budget = budget});
}

template <class T>
void expect_code(const Result<T>& result, PolicyError code) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode{code}) << to_string(result.error());
}

void wait_until_no_thread_is_lost() {
  for (int i = 0; i < 3000 && detail::lost_threads() > 0; ++i) std::this_thread::sleep_for(milliseconds{10});
  ASSERT_EQ(detail::lost_threads(), 0U);
}

TEST(Policy, allows_what_its_rule_allows) {
  const auto policy = parsed(resource_policy);
  const auto evaluation = policy.evaluate(allow_request("affirming"));
  ASSERT_TRUE(evaluation) << to_string(evaluation.error());
  EXPECT_EQ(evaluation->value, Value{true});
  EXPECT_TRUE(evaluation->conditions.empty());
}

TEST(Policy, falls_back_to_its_default) {
  const auto policy = parsed(resource_policy);
  EXPECT_EQ(policy.evaluate(allow_request("warning"))->value, Value{false});
}

TEST(Policy, sees_the_data_of_each_request_alone) {
  const auto policy = parsed(resource_policy);
  auto request = allow_request("affirming");
  EXPECT_EQ(policy.evaluate(request)->value, Value{true});
  request.data = Object{{"plugin", "pkcs11"}};
  EXPECT_EQ(policy.evaluate(request)->value, Value{false});
}

TEST(Policy, answers_nothing_where_a_rule_is_undefined_or_absent) {
  EXPECT_EQ(evaluate("x if input.never")->value, std::nullopt);
  EXPECT_EQ(evaluate("y := 1", "data.policy.extensions")->value, std::nullopt);
}

TEST(Policy, returns_numbers_strings_and_objects_as_json) {
  const auto evaluation = evaluate(R"(x := {"executables": 3, "n": -1.5, "s": "a", "l": [null, true]})");
  ASSERT_TRUE(evaluation) << to_string(evaluation.error());
  const Value expected = Object{{"executables", 3}, {"n", -1.5}, {"s", "a"}, {"l", Array{nullptr, true}}};
  EXPECT_EQ(evaluation->value, expected);
}

TEST(Policy, has_the_builtin_functions_of_upstream_and_no_others) {
  EXPECT_EQ(evaluate(R"(x := base64.decode("YQ=="))")->value, Value{"a"});
  EXPECT_EQ(evaluate(R"(x if regex.match("^a+$", "aaa"))")->value, Value{true});
  EXPECT_EQ(evaluate(R"(x := time.parse_rfc3339_ns("1970-01-01T00:00:01Z"))")->value, Value{1000000000});
  EXPECT_EQ(evaluate("x := numbers.range(3, 1)")->value, (Value{Array{3, 2, 1}}));
  EXPECT_EQ(evaluate("x := numbers.range_step(1, 6, 2)")->value, (Value{Array{1, 3, 5}}));
  for (const auto* absent : {R"(x := crypto.sha256("a"))", R"(x := http.send({}))", R"(x := hex.encode("a"))",
                             R"(x := io.jwt.decode("a"))", R"(x := semver.is_valid("1.0.0"))"}) {
    expect_code(evaluate(absent), PolicyError::evaluation);
  }
}

TEST(Policy, queries_reference_values_once_for_each_name) {
  const auto policy = parsed(
      "package policy\nx if {\n 2 in query_reference_value(\"svn\")\n"
      " 1 in query_reference_value(\"svn\")\n}\ny if 1 in query_reference_value(\"none\")\n");
  int calls = 0;
  EvaluationRequest request{.query = "data.policy.x", .input = Object{}};
  request.reference_values = [&](const std::string& id) -> Result<std::optional<Value>> {
    ++calls;
    if (id == "none") return std::nullopt;
    return Value{Array{1, 2}};
  };
  EXPECT_EQ(policy.evaluate(request)->value, Value{true});
  EXPECT_EQ(calls, 1);
  request.query = "data.policy.y";
  EXPECT_EQ(policy.evaluate(request)->value, std::nullopt) << "`x in null` is undefined";
}

TEST(Policy, reports_a_failing_reference_value_store) {
  const auto policy = parsed("package policy\nx := query_reference_value(\"svn\")");
  EvaluationRequest request{.query = "data.policy.x", .input = Object{}};
  request.reference_values = [](const std::string&) -> Result<std::optional<Value>> {
    return fail(PolicyError::evaluation, "the store is locked");
  };
  const auto evaluation = policy.evaluate(request);
  expect_code(evaluation, PolicyError::evaluation);
  EXPECT_NE(evaluation.error().message.find("the store is locked"), std::string::npos);
}

TEST(Policy, does_not_know_reference_values_where_none_were_given) {
  expect_code(evaluate("x := query_reference_value(\"svn\")"), PolicyError::evaluation);
}

TEST(Policy, names_line_and_column_of_a_syntax_error) {
  const auto policy = Policy::parse("mine.rego", "package policy\n\nallow if {\n  input.a ==\n}\n");
  expect_code(policy, PolicyError::syntax);
  EXPECT_NE(policy.error().message.find("mine.rego:5:1"), std::string::npos) << policy.error().message;
}

TEST(Policy, rejects_rego_that_uses_an_unsafe_variable) {
  expect_code(Policy::parse("a.rego", "package policy\nallow if unknown == 1\n"), PolicyError::syntax);
}

TEST(Policy, rejects_another_package) {
  expect_code(Policy::parse("a.rego", "package policies\nallow := true\n"), PolicyError::wrong_package);
  expect_code(Policy::parse("a.rego", "package policy.inner\nallow := true\n"), PolicyError::wrong_package);
}

TEST(Policy, rejects_text_over_one_mebibyte) {
  const std::string comment(1U << 20, '#');
  expect_code(Policy::parse("a.rego", "package policy\n" + comment), PolicyError::too_large);
}

TEST(Policy, rejects_more_rules_than_the_stack_is_made_for) {
  std::string text = "package policy\nx0 := 1\n";
  for (int i = 1; i < 2001; ++i) text += "x" + std::to_string(i) + " := x" + std::to_string(i - 1) + "\n";
  expect_code(Policy::parse("a.rego", text), PolicyError::too_large);
}

TEST(Policy, evaluates_rules_that_use_each_other_two_thousand_deep) {
  std::string text = "x0 := 1\n";
  for (int i = 1; i < 1999; ++i) text += "x" + std::to_string(i) + " := x" + std::to_string(i - 1) + "\n";
  const auto evaluation = evaluate(text, "data.policy.x1998");
  ASSERT_TRUE(evaluation) << to_string(evaluation.error());
  EXPECT_EQ(evaluation->value, Value{1});
}

TEST(Policy, rejects_nesting_before_the_parser_sees_it) {
  const std::string open(25, '[');
  const std::string close(25, ']');
  const auto start = std::chrono::steady_clock::now();
  expect_code(Policy::parse("a.rego", "package policy\nx := " + open + "1" + close), PolicyError::too_nested);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{1});
}

TEST(Policy, reports_conflicting_results_as_an_evaluation_error) {
  expect_code(evaluate("x := 1 if true\nx := 2 if true\n"), PolicyError::evaluation);
}

TEST(Policy, reports_recursion_as_an_error) {
  expect_code(evaluate("x if y\ny if x\n"), PolicyError::evaluation);
}

TEST(Policy, refuses_a_range_that_does_not_fit_in_memory) {
  const auto evaluation = evaluate("x := numbers.range(1, 100000000000)");
  expect_code(evaluation, PolicyError::evaluation);
  EXPECT_NE(evaluation.error().message.find("limit of 1000000"), std::string::npos);
  expect_code(evaluate("x := numbers.range_step(0, 9223372036854775807, 2)"), PolicyError::evaluation);
}

TEST(Policy, stops_a_loop_at_its_budget) {
  const auto evaluation =
      evaluate("x := [a | some a in numbers.range(1, 1000000); some b in numbers.range(1, 1000000); a * b < 0]",
               "data.policy.x", milliseconds{100});
  expect_code(evaluation, PolicyError::timeout);
  wait_until_no_thread_is_lost();
}

// A builtin function that the engine's timer does not interrupt: two such threads may be lost, a third may not.
TEST(Policy, leaves_a_stuck_evaluation_behind_and_refuses_more_than_two) {
  constexpr std::string_view slow = "x := count(format_int(bits.lsh(1, 12000000), 10))";
  for (int i = 0; i < 2; ++i) expect_code(evaluate(slow, "data.policy.x", milliseconds{1}), PolicyError::timeout);
  EXPECT_EQ(detail::lost_threads(), 2U);
  expect_code(evaluate("x := 1"), PolicyError::overloaded);
  wait_until_no_thread_is_lost();
  EXPECT_EQ(evaluate("x := 1")->value, Value{1});
}

// In a process of its own, because the thread that runs it never comes back.
TEST(PolicyDeathTest, stops_an_evaluation_that_wants_too_much_memory) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto refused = [] {
    const auto evaluation = evaluate(
        "s := concat(\"\", [t | some i in numbers.range(1, 100000); t := \"0123456789\"])\n"
        "x := count(concat(s, [t | some i in numbers.range(1, 1000); t := \"a\"]))\n");
    const bool right = !evaluation && evaluation.error().code == ErrorCode{PolicyError::evaluation} &&
                       evaluation.error().message.find("512 MiB") != std::string::npos;
    const auto next = evaluate("x := 1");
    std::_Exit(right && next && next->value == Value{1} && detail::lost_threads() == 1 ? 0 : 1);
  };
  EXPECT_EXIT(refused(), ::testing::ExitedWithCode(0), "");
}

TEST(Policy, is_used_by_many_threads_at_once) {
  const auto policy = parsed(resource_policy);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const bool affirming = (t + i) % 2 == 0;
          auto request = allow_request(affirming ? "affirming" : "none");
          request.explain = i % 10 == 0;
          request.budget = std::chrono::seconds{30};
          const auto evaluation = policy.evaluate(request);
          if (!evaluation || evaluation->value != Value{affirming}) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Policy, keeps_its_text_and_moves) {
  auto policy = parsed(resource_policy);
  const auto moved = std::move(policy);
  EXPECT_EQ(moved.text(), resource_policy);
  EXPECT_EQ(moved.evaluate(allow_request("affirming"))->value, Value{true});
}

TEST(Policy, codes_have_stable_names) {
  EXPECT_EQ(code_name(PolicyError::syntax), "policy.syntax");
  EXPECT_EQ(code_name(PolicyError::overloaded), "policy.overloaded");
}

}  // namespace
}  // namespace coffer::policy

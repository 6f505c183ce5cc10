// Rego (v1) over regorus in native/. A Policy is parsed once and evaluated many times, from any thread.
//
// Both run on threads of their own, because regorus cannot be interrupted everywhere: who calls gets its answer within
// the budget (and a quarter of a second), while a thread that is stuck is left to finish alone. Two may be; then
// everything is `overloaded` until one ends. An evaluation that would take over 512 MiB never ends.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"

namespace coffer::policy {

enum class PolicyError {
  syntax,         // does not parse; the message names line and column
  too_large,      // text over 1 MiB, or more than 2000 rules
  too_nested,     // brackets deeper, or expressions longer, than the parser can take in bounded time and stack
  wrong_package,  // the package is not `policy`
  timeout,        // parsing (5 s) or evaluation went over its budget
  evaluation,     // a run-time error of the policy, or memory over its bound
  overloaded,     // earlier evaluations that ran over their budget still occupy the engine
};
std::string_view code_name(PolicyError code);

// What a failed or passed rule looked at, from the evaluation that decided (never from a second rule set).
struct Condition {
  std::string rule;      // "trust_claims", "allow", "executables"
  std::size_t line = 0;  // in the policy text; 0: it stands in none
  std::string text;      // the condition's source
  bool held = false;
  std::optional<std::string> claim{};  // "input.sample.launch_digest" where one operand is a path of input or data
  std::optional<codec::json::Value> actual{};    // the value of that operand
  std::optional<codec::json::Value> expected{};  // the value of the other, reference values included
};

struct Evaluation {
  std::optional<codec::json::Value> value;  // nothing: undefined
  std::vector<Condition> conditions{};      // where explain was asked for, of policies up to 64 KiB; failing first
};

// query_reference_value(id): the JSON value or nothing (null in Rego). Called on another thread while evaluate() waits,
// once for each id, never after evaluate() has returned; a call under way is waited for, even beyond the budget.
using ReferenceValues = std::function<Result<std::optional<codec::json::Value>>(const std::string& id)>;

struct EvaluationRequest {
  std::string query;  // "data.policy.allow"
  codec::json::Value input;
  codec::json::Value data{codec::json::Object{}};
  ReferenceValues reference_values{};  // absent: the function is not defined
  Duration budget = std::chrono::seconds{2};
  bool explain = false;
};

class Policy {
 public:
  // `name` stands in messages ("default_cpu.rego").
  static Result<Policy> parse(std::string name, std::string text);
  Policy(Policy&&) noexcept;
  Policy& operator=(Policy&&) noexcept;
  ~Policy();

  const std::string& text() const;
  Result<Evaluation> evaluate(const EvaluationRequest& request) const;

 private:
  struct Impl;
  struct Running;
  explicit Policy(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace coffer::policy

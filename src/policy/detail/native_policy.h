// The policy half of coffer_native.h as owned handles and Results. Everything here runs on a pool thread
// (evaluation_pool.h), but for the destructor of NativePolicy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

struct coffer_policy;
struct coffer_evaluation;

namespace coffer::policy::detail {

// Answers query_reference_value: JSON text, or nothing for null.
class ReferenceLookup {
 public:
  virtual ~ReferenceLookup() = default;
  virtual Result<std::optional<std::string>> look_up(const std::string& id) = 0;
};

class NativePolicy {
 public:
  // syntax, or evaluation where the library itself failed.
  static Result<NativePolicy> parse(std::string_view name, std::string_view text);

  std::string_view package() const { return package_; }
  std::size_t rule_count() const { return rule_count_; }
  // Analyses the module; once, before the policy is shared.
  Result<> prepare();
  // regorus' syntax tree as JSON text.
  Result<std::string> syntax_tree() const;

 private:
  friend class NativeEvaluation;
  struct Free {
    void operator()(coffer_policy* policy) const;
  };
  std::unique_ptr<coffer_policy, Free> handle_;
  std::string name_;
  std::string package_;
  std::size_t rule_count_ = 0;
};

struct NativeEvaluationOptions {
  std::string_view input;  // JSON text
  std::string_view data;   // JSON text of an object, or empty
  Duration budget{};
  bool coverage = false;
  ReferenceLookup* lookup = nullptr;  // outlives the evaluation
};

class NativeEvaluation {
 public:
  static Result<NativeEvaluation> begin(const NativePolicy& policy, const NativeEvaluationOptions& options);

  // JSON text, or nothing where the query is undefined. timeout, evaluation.
  Result<std::optional<std::string>> query(std::string_view query);
  // Numbers of the lines evaluated so far, "3 4 7". Later queries see only reference values that were read before.
  Result<std::string> covered_lines();

 private:
  struct Free {
    void operator()(coffer_evaluation* evaluation) const;
  };
  std::unique_ptr<coffer_evaluation, Free> handle_;
};

}  // namespace coffer::policy::detail

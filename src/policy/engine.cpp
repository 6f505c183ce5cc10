#include "policy/engine.h"

#include <mutex>
#include <set>
#include <sstream>

#include "policy/detail/evaluation_pool.h"
#include "policy/detail/explain.h"
#include "policy/detail/lexical_check.h"
#include "policy/detail/native_policy.h"
#include "policy/detail/outline.h"

namespace coffer::policy {
namespace {

using detail::NativeEvaluation;
using detail::NativePolicy;
using detail::Outcome;
using std::chrono::steady_clock;

constexpr Duration parse_budget = std::chrono::seconds{5};
// The engine's own timer gets this long to end an evaluation by itself, before its thread is given up.
constexpr Duration grace = std::chrono::milliseconds{250};
// Rules call each other on the stack (detail::evaluation_stack).
constexpr std::size_t max_rules = 2000;
// Bytes of text. A syntax tree is a hundred times as large; larger policies are evaluated without explanations.
constexpr std::size_t max_explained_size = std::size_t{64} << 10;
// What a policy computes is read back with the limits of any other untrusted JSON.
constexpr codec::json::Limits result_limits{};

std::unexpected<Error> not_done(Outcome outcome, Duration budget) {
  if (outcome == Outcome::overloaded) {
    return fail(PolicyError::overloaded,
                "earlier policy evaluations that ran over their budget still occupy the engine");
  }
  if (outcome == Outcome::out_of_memory) {
    return fail(PolicyError::evaluation, "the policy asked for more than " +
                                             std::to_string(detail::max_evaluation_memory >> 20) + " MiB of memory");
  }
  return fail(PolicyError::timeout, "the policy took longer than " + std::to_string(budget.count()) + " ms");
}

// The caller's function, which is not called any more once the caller has gone.
class GatedReferenceValues final : public detail::ReferenceLookup {
 public:
  explicit GatedReferenceValues(const ReferenceValues* values) : values_(values) {}

  Result<std::optional<std::string>> look_up(const std::string& id) override {
    const std::lock_guard lock(mutex_);
    if (values_ == nullptr) return fail(PolicyError::timeout, "the evaluation was given up");
    const auto value = TRY((*values_)(id));
    if (!value) return std::nullopt;
    return codec::json::serialize(*value);
  }

  // Waits for a call that is under way.
  void close() {
    const std::lock_guard lock(mutex_);
    values_ = nullptr;
  }

 private:
  std::mutex mutex_;
  const ReferenceValues* values_;
};

Result<std::optional<codec::json::Value>> parse_value(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  auto value = codec::json::parse(*text, result_limits);
  if (!value) return fail(PolicyError::evaluation, "the policy's result: " + value.error().message);
  return std::optional{std::move(*value)};
}

}  // namespace

std::string_view code_name(PolicyError code) {
  switch (code) {
    case PolicyError::syntax: return "policy.syntax";
    case PolicyError::too_large: return "policy.too_large";
    case PolicyError::too_nested: return "policy.too_nested";
    case PolicyError::wrong_package: return "policy.wrong_package";
    case PolicyError::timeout: return "policy.timeout";
    case PolicyError::evaluation: return "policy.evaluation";
    case PolicyError::overloaded: return "policy.overloaded";
  }
  return "policy.unknown";
}

struct Policy::Impl {
  std::string name;
  std::string text;
  NativePolicy native{};
  mutable std::once_flag outline_once{};
  mutable detail::Outline outline_value{};

  // Made when the first explanation is asked for. A tree that cannot be read leaves explanations empty.
  const detail::Outline& outline() const {
    std::call_once(outline_once, [this] {
      if (text.size() > max_explained_size) return;
      const auto tree = native.syntax_tree();
      if (!tree) return;
      auto outline = detail::read_outline(*tree, text);
      if (outline) outline_value = std::move(*outline);
    });
    return outline_value;
  }

  Result<> parse();
};

Result<> Policy::Impl::parse() {
  native = TRY(NativePolicy::parse(name, text));
  if (native.package() != "policy") {
    return fail(PolicyError::wrong_package,
                name + ": the package must be `policy`, found `" + std::string{native.package()} + "`");
  }
  if (native.rule_count() > max_rules) {
    return fail(PolicyError::too_large, name + " has " + std::to_string(native.rule_count()) + " rules, the limit is " +
                                            std::to_string(max_rules));
  }
  return native.prepare();
}

namespace {

// One evaluation, shared by the caller and the pool's thread.
struct Task {
  Task(const EvaluationRequest& request, GatedReferenceValues* values)
      : query(request.query),
        input(codec::json::serialize(request.input)),
        data(codec::json::serialize(request.data)),
        options{.input = input, .data = {}, .budget = request.budget, .coverage = request.explain, .lookup = values} {
    if (data != "{}") options.data = data;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  std::string query;
  std::string input;
  std::string data;
  detail::NativeEvaluationOptions options;
};

std::set<std::size_t> parse_lines(const std::string& text) {
  std::istringstream stream(text);
  std::set<std::size_t> lines;
  for (std::size_t line = 0; stream >> line;) lines.insert(line);
  return lines;
}

// Questions asked after the decision must not cost more than it was allowed to.
detail::Probe make_probe(NativeEvaluation& evaluation, Duration budget) {
  const auto until = steady_clock::now() + budget;
  return [&evaluation, until](const std::string& expression) -> Result<std::optional<codec::json::Value>> {
    if (steady_clock::now() > until) return fail(PolicyError::timeout, "the explanation took too long");
    return parse_value(TRY(evaluation.query(expression)));
  };
}

}  // namespace

Result<Policy> Policy::parse(std::string name, std::string text) {
  TRY(detail::check_lexically(text));
  struct Parsing {
    std::shared_ptr<Impl> impl;
    Result<> result{};
  };
  auto parsing = std::make_shared<Parsing>();
  parsing->impl = std::make_shared<Impl>(std::move(name), std::move(text));
  const auto outcome =
      detail::run_bounded([parsing] { parsing->result = parsing->impl->parse(); }, steady_clock::now() + parse_budget);
  if (outcome != Outcome::done) return not_done(outcome, parse_budget);
  TRY(std::move(parsing->result));
  return Policy{std::move(parsing->impl)};
}

Policy::Policy(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Policy::Policy(Policy&&) noexcept = default;
Policy& Policy::operator=(Policy&&) noexcept = default;
Policy::~Policy() = default;

const std::string& Policy::text() const {
  return impl_->text;
}

// What the caller and the pool's thread share; the thread may keep it longer.
struct Policy::Running {
  Running(const EvaluationRequest& request, std::shared_ptr<const Impl> policy)
      : values(&request.reference_values),
        task(request, request.reference_values ? &values : nullptr),
        impl(std::move(policy)) {}

  Result<Evaluation> run() {
    auto native = TRY(NativeEvaluation::begin(impl->native, task.options));
    Evaluation evaluation {
      .value = TRY(parse_value(TRY(native.query(task.query))))
    };
    if (!task.options.coverage) return evaluation;
    {
      const std::lock_guard lock(mutex);
      decided = evaluation;
    }
    const auto lines = parse_lines(TRY(native.covered_lines()));
    evaluation.conditions =
        detail::explain(impl->outline(), impl->text, lines, make_probe(native, task.options.budget));
    return evaluation;
  }

  // What was decided before the explanation went wrong.
  std::optional<Evaluation> decision() {
    const std::lock_guard lock(mutex);
    return decided;
  }

  GatedReferenceValues values;
  Task task;
  std::shared_ptr<const Impl> impl;
  Result<Evaluation> result{};
  std::mutex mutex;
  std::optional<Evaluation> decided{};
};

Result<Evaluation> Policy::evaluate(const EvaluationRequest& request) const {
  auto running = std::make_shared<Running>(request, impl_);
  // An explanation may take as long again as the decision.
  const auto allowed = request.explain ? 2 * request.budget : request.budget;
  const auto outcome =
      detail::run_bounded([running] { running->result = running->run(); }, steady_clock::now() + allowed + grace);
  running->values.close();
  if (outcome == Outcome::done) return std::move(running->result);
  // A decision stands, even where it could not be explained in time.
  if (auto decision = running->decision()) return std::move(*decision);
  return not_done(outcome, request.budget);
}

}  // namespace coffer::policy

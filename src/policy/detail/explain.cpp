#include "policy/detail/explain.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "policy/detail/substitution.h"

namespace coffer::policy::detail {
namespace {

using codec::json::Value;

constexpr std::size_t max_probes = 400;
constexpr std::size_t max_every_items = 64;

struct Found {
  Condition condition;
  std::size_t progress;  // conditions of the same body that held before it
  std::size_t order;     // in the text
};

class Explainer {
 public:
  Explainer(const Outline& outline, std::string_view text, const std::set<std::size_t>& covered, const Probe& probe)
      : outline_(outline), text_(text), covered_(covered), probe_(probe) {}

  std::vector<Condition> run() {
    for (const auto& rule : outline_.rules) {
      for (const auto& body : rule.bodies) explain_body(rule, body);
    }
    std::ranges::sort(found_, {}, [](const Found& item) {
      const auto rank = item.condition.held ? 0 : std::numeric_limits<std::size_t>::max() - item.progress;
      return std::tuple{item.condition.held, rank, item.order};
    });
    std::vector<Condition> conditions;
    conditions.reserve(found_.size());
    for (auto& item : found_) conditions.push_back(std::move(item.condition));
    return conditions;
  }

 private:
  bool reached(const Statement& statement) const { return covered_.contains(statement.line); }

  // Statements run in their order, so whatever stands before one that was reached has held. The last one reached is in
  // question, and so is each on its line, because coverage knows lines only.
  void explain_body(const OutlineRule& rule, const Body& body) {
    std::size_t last = body.statements.size();
    for (std::size_t i = 0; i < body.statements.size(); ++i) {
      if (reached(body.statements[i])) last = i;
    }
    if (last == body.statements.size()) return;
    Substitution names(outline_, text_);
    for (std::size_t i = 0; i <= last; ++i) {
      const auto& statement = body.statements[i];
      const bool in_question = statement.line == body.statements[last].line;
      const bool held = !in_question || holds(statement, names, last_resort(rule, body, i));
      report(rule, statement, names, held, i);
      if (!held) return;
      if (statement.kind == StatementKind::assignment) names.bind(statement.value, statement.operands[0]);
    }
  }

  // Where the statement's own value cannot be known: with statements left that were not reached it failed, and so it
  // did where the body's value, on a line of its own, was not computed.
  bool last_resort(const OutlineRule& rule, const Body& body, std::size_t index) {
    if (index + 1 < body.statements.size()) return reached(body.statements[index + 1]);
    const bool own_line = body.value_line && std::ranges::none_of(body.statements, [&](const Statement& statement) {
                            return statement.line == *body.value_line;
                          });
    if (own_line) return covered_.contains(*body.value_line);
    const auto value = ask("data.policy." + rule.name);
    return value.known && truthy(value);
  }

  struct Answer {
    bool known = false;
    std::optional<Value> value{};
  };

  static bool truthy(const Answer& answer) { return answer.value && *answer.value != Value{false}; }

  Answer ask(const std::string& expression) {
    const auto cached = answers_.find(expression);
    if (cached != answers_.end()) return cached->second;
    if (answers_.size() >= max_probes) return {};
    auto result = probe_(expression);
    Answer answer{.known = result.has_value()};
    if (result) answer.value = std::move(*result);
    return answers_.emplace(expression, std::move(answer)).first->second;
  }

  bool holds(const Statement& statement, const Substitution& names, bool otherwise) {
    // As the body of a comprehension, because a query takes `every` for true.
    const auto answer = ask("[true | " + names.apply(statement.whole) + "]");
    const auto* times = answer.value ? answer.value->if_array() : nullptr;
    return times == nullptr ? otherwise : !times->empty();
  }

  void report(const OutlineRule& rule, const Statement& statement, const Substitution& names, bool held,
              std::size_t progress) {
    if (statement.kind == StatementKind::every && !held && report_item(rule, statement, names, progress)) return;
    Condition condition{
        .rule = rule.name, .line = statement.line, .text = std::string{statement.whole.range.of(text_)}, .held = held};
    describe(statement, names, condition);
    found_.push_back({std::move(condition), progress, found_.size()});
  }

  // The first item of `every k, v in domain { ... }` for which a condition inside does not hold.
  bool report_item(const OutlineRule& rule, const Statement& every, const Substitution& outer, std::size_t progress) {
    const auto domain = outer.apply(every.operands[0]);
    const auto items = ask(domain);
    if (!items.value) return false;
    for (const auto& key : keys_of(*items.value)) {
      auto names = outer;
      const auto key_text = codec::json::serialize(key);
      if (!every.key.empty()) names.bind_text(every.key, key_text);
      names.bind_text(every.value, domain + "[" + key_text + "]");
      for (const auto& statement : every.inner) {
        if (!holds(statement, names, true)) {
          report(rule, statement, names, false, progress);
          return true;
        }
        if (statement.kind == StatementKind::assignment) names.bind(statement.value, statement.operands[0]);
      }
    }
    return false;
  }

  static std::vector<Value> keys_of(const Value& collection) {
    std::vector<Value> keys;
    if (const auto* array = collection.if_array()) {
      for (std::size_t i = 0; i < std::min(array->size(), max_every_items); ++i) keys.emplace_back(i);
    } else if (const auto* object = collection.if_object()) {
      for (const auto& [key, value] : *object) {
        if (keys.size() < max_every_items) keys.emplace_back(key);
      }
    }
    return keys;
  }

  // Fills claim, actual and expected.
  void describe(const Statement& statement, const Substitution& names, Condition& condition) {
    if (statement.operands.empty()) return;
    std::size_t subject = 0;
    if (statement.operands.size() == 2 && !names.claim(statement.operands[0]) && names.claim(statement.operands[1])) {
      subject = 1;
    }
    condition.claim = names.claim(statement.operands[subject]);
    condition.actual = ask(names.apply(statement.operands[subject])).value;
    if (statement.operands.size() == 2) {
      condition.expected = ask(names.apply(statement.operands[1 - subject])).value;
    } else if (statement.kind == StatementKind::negation) {
      condition.expected = Value{false};
    } else if (statement.kind == StatementKind::expression && condition.actual == Value{false}) {
      condition.expected = Value{true};
    }
  }

  const Outline& outline_;
  std::string_view text_;
  const std::set<std::size_t>& covered_;
  const Probe& probe_;
  std::map<std::string, Answer> answers_;
  std::vector<Found> found_;
};

}  // namespace

std::vector<Condition> explain(const Outline& outline, std::string_view text,
                               const std::set<std::size_t>& covered_lines, const Probe& probe) {
  return Explainer{outline, text, covered_lines, probe}.run();
}

}  // namespace coffer::policy::detail

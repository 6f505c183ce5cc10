#include "policy/detail/outline.h"

#include <algorithm>

#include "codec/json.h"

namespace coffer::policy::detail {
namespace {

using codec::json::Limits;
using codec::json::Value;

// A tree beyond these is not explained. The text is bounded by max_explained_size.
constexpr Limits tree_limits{.max_size = 16U << 20, .max_depth = 4096, .max_values = 1U << 22};

// Nodes are objects with one member, {"BoolExpr": {...}}.
struct Node {
  std::string_view kind;
  const Value* fields;
};

std::optional<Node> node_of(const Value* value) {
  const auto* object = value == nullptr ? nullptr : value->if_object();
  if (object == nullptr || object->size() != 1) return std::nullopt;
  return Node{object->begin()->first, &object->begin()->second};
}

std::size_t number(const Value* value) {
  return value == nullptr ? 0 : value->if_uint64().value_or(0);
}

TextRange range_of(const Value* span) {
  if (span == nullptr) return {};
  return {number(span->find("start")), number(span->find("end"))};
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Outline read(const Value& tree) const {
    Outline outline;
    const auto* modules = tree.if_array();
    if (modules == nullptr) return outline;
    for (const auto& module : *modules) {
      const auto* rules = module.find("rules");
      if (rules == nullptr || rules->if_array() == nullptr) continue;
      for (const auto& rule : *rules->if_array()) add_rule(rule, outline);
    }
    std::ranges::sort(outline.names);
    return outline;
  }

 private:
  bool inside(TextRange range) const { return range.begin <= range.end && range.end <= text_.size(); }

  // Reads {"span":..., ...} of any node; a range outside the text reads as empty.
  Operand operand(const Value* expression) const {
    Operand result;
    const auto node = node_of(expression);
    if (!node) return result;
    result.range = range_of(node->fields->find("span"));
    result.reference = is_reference(*node);
    complete(*expression, result);
    return result;
  }

  // Adds the variables, and the quotes that regorus leaves out of the spans of strings.
  void complete(const Value& tree, Operand& operand) const {
    collect(tree, operand);
    if (!inside(operand.range)) operand.range = {};
    std::ranges::sort(operand.variables, {}, [](const Variable& v) { return v.range.begin; });
  }

  static bool is_reference(Node node) {
    for (;;) {
      if (node.kind == "Var") return true;
      if (node.kind != "RefDot" && node.kind != "RefBrack") return false;
      const auto next = node_of(node.fields->find("refr"));
      if (!next) return false;
      node = *next;
    }
  }

  void collect(const Value& value, Operand& out) const {
    if (const auto* items = value.if_array()) {
      for (const auto& item : *items) collect(item, out);
    }
    const auto* object = value.if_object();
    if (object == nullptr) return;
    for (const auto& [name, member] : *object) {
      const auto range = range_of(member.find("span"));
      if (name == "Var" && range.end > range.begin && inside(range)) {
        out.variables.push_back({std::string{range.of(text_)}, range});
      } else if ((name == "String" || name == "RawString") && range.begin > 0) {
        out.range.begin = std::min(out.range.begin, range.begin - 1);
        out.range.end = std::max(out.range.end, range.end + 1);
      } else {
        collect(member, out);
      }
    }
  }

  void add_rule(const Value& value, Outline& outline) const {
    const auto node = node_of(&value);
    if (!node) return;
    const auto* fields = node->fields;
    const auto head = node->kind == "Spec" ? node_of(fields->find("head")) : node;
    if (!head) return;
    const auto name_range = operand(head->fields->find("refr")).range;
    OutlineRule rule{.name = std::string{name_range.of(text_)}};
    outline.names.push_back(rule.name.substr(0, rule.name.find_first_of(".[(")));
    if (node->kind != "Spec" || head->kind == "Func") return;
    rule.bodies = bodies(*fields, *head->fields);
    if (!rule.bodies.empty()) outline.rules.push_back(std::move(rule));
  }

  static std::optional<std::size_t> line_of_value(const Value* assignment) {
    const auto node = assignment == nullptr ? std::nullopt : node_of(assignment->find("value"));
    if (!node) return std::nullopt;
    return number(node->fields->at_pointer("/span/line"));
  }

  std::vector<Body> bodies(const Value& rule, const Value& head) const {
    std::vector<Body> result;
    const auto* list = rule.find("bodies");
    if (list == nullptr || list->if_array() == nullptr) return result;
    for (const auto& item : *list->if_array()) {
      Body body;
      body.value_line = line_of_value(item.find("assign"));
      if (!body.value_line && result.empty()) body.value_line = line_of_value(head.find("assign"));
      body.statements = statements(item.at_pointer("/query/stmts"));
      result.push_back(std::move(body));
    }
    return result;
  }

  std::vector<Statement> statements(const Value* list) const {
    std::vector<Statement> result;
    const auto* items = list == nullptr ? nullptr : list->if_array();
    if (items == nullptr) return result;
    for (const auto& item : *items) {
      auto statement = read_statement(item);
      if (statement) result.push_back(std::move(*statement));
    }
    return result;
  }

  std::optional<Statement> read_statement(const Value& item) const {
    const auto literal = node_of(item.find("literal"));
    const auto range = range_of(item.find("span"));
    // `some x` alone decides nothing, and neither does what this version does not know.
    if (!literal || !inside(range) || literal->kind == "SomeVars") return std::nullopt;
    Statement statement;
    statement.line = number(item.at_pointer("/span/line"));
    statement.whole.range = range;
    complete(*item.find("literal"), statement.whole);
    read_literal(*literal, statement);
    return statement;
  }

  void read_literal(const Node& literal, Statement& statement) const {
    const auto* fields = literal.fields;
    if (literal.kind == "SomeIn") {
      statement.kind = StatementKind::iteration;
      statement.operands.push_back(operand(fields->find("collection")));
    } else if (literal.kind == "NotExpr") {
      statement.kind = StatementKind::negation;
      statement.operands.push_back(operand(fields->find("expr")));
    } else if (literal.kind == "Every") {
      read_every(*fields, statement);
    } else {
      read_expression(fields->find("expr"), statement);
    }
  }

  void read_every(const Value& fields, Statement& statement) const {
    statement.kind = StatementKind::every;
    statement.operands.push_back(operand(fields.find("domain")));
    const auto key = range_of(fields.find("key"));
    const auto value = range_of(fields.find("value"));
    if (inside(key)) statement.key = key.of(text_);
    if (inside(value)) statement.value = value.of(text_);
    statement.inner = statements(fields.at_pointer("/query/stmts"));
  }

  void read_expression(const Value* expression, Statement& statement) const {
    const auto node = node_of(expression);
    if (!node) return;
    if (node->kind == "BoolExpr") {
      compare(node->fields->find("lhs"), node->fields->find("rhs"), statement);
    } else if (node->kind == "Membership") {
      compare(node->fields->find("value"), node->fields->find("collection"), statement);
    } else if (node->kind == "AssignExpr") {
      read_assignment(*node->fields, statement);
    } else {
      statement.operands.push_back(operand(expression));
    }
  }

  void compare(const Value* left, const Value* right, Statement& statement) const {
    statement.kind = StatementKind::comparison;
    statement.operands = {operand(left), operand(right)};
  }

  void read_assignment(const Value& fields, Statement& statement) const {
    const auto left = node_of(fields.find("lhs"));
    const auto* operation = fields.find("op");
    const bool declares = operation != nullptr && *operation == Value{"ColEq"};
    if (!declares || !left || left->kind != "Var") return compare(fields.find("lhs"), fields.find("rhs"), statement);
    statement.kind = StatementKind::assignment;
    statement.value = operand(fields.find("lhs")).range.of(text_);
    statement.operands.push_back(operand(fields.find("rhs")));
  }

  std::string_view text_;
};

}  // namespace

bool Outline::defines(std::string_view name) const {
  return std::ranges::binary_search(names, name);
}

Result<Outline> read_outline(std::string_view syntax_tree, std::string_view text) {
  const auto tree = TRY(codec::json::parse(syntax_tree, tree_limits));
  return Reader{text}.read(tree);
}

}  // namespace coffer::policy::detail

#include "codec/toml.h"

#include <toml++/toml.h>

#include <cmath>
#include <optional>
#include <sstream>
#include <string>

#include "codec/detail/toml_depth.h"

namespace coffer::codec {

namespace {

constexpr std::size_t max_depth = 64;
constexpr std::size_t max_brackets = 32;

class Converter {
 public:
  explicit Converter(std::string_view file_name) : file_name_(file_name) {}

  Result<json::Value> convert(const toml::node& node, std::size_t depth) const {
    if (depth > max_depth) return fail(TomlError::too_deep, at(node) + "nesting is over the limit of 64");
    if (const auto* table = node.as_table()) return convert_table(*table, depth);
    if (const auto* array = node.as_array()) return convert_array(*array, depth);
    return convert_scalar(node);
  }

 private:
  Result<json::Value> convert_table(const toml::table& table, std::size_t depth) const {
    json::Object out;
    for (const auto& [key, node] : table) out.append(std::string{key.str()}, TRY(convert(node, depth + 1)));
    return json::Value{std::move(out)};
  }

  Result<json::Value> convert_array(const toml::array& array, std::size_t depth) const {
    json::Array out;
    out.reserve(array.size());
    for (const auto& node : array) out.push_back(TRY(convert(node, depth + 1)));
    return json::Value{std::move(out)};
  }

  Result<json::Value> convert_scalar(const toml::node& node) const {
    if (const auto* text = node.as_string()) return json::Value{text->get()};
    if (const auto* number = node.as_integer()) return json::Value{number->get()};
    if (const auto* flag = node.as_boolean()) return json::Value{flag->get()};
    if (const auto* number = node.as_floating_point()) {
      if (std::isfinite(number->get())) return json::Value{number->get()};
      return fail(TomlError::bad_number, at(node) + "a finite number is expected, nan and inf have no meaning here");
    }
    std::ostringstream text;  // dates and times print in RFC 3339's spelling
    if (const auto* date = node.as_date()) text << date->get();
    if (const auto* time = node.as_time()) text << time->get();
    if (const auto* both = node.as_date_time()) text << both->get();
    return json::Value{text.str()};
  }

  std::string at(const toml::node& node) const { return position(file_name_, node.source().begin); }

 public:
  static std::string position(std::string_view file_name, const toml::source_position& where) {
    return std::string{file_name} + ":" + std::to_string(where.line) + ":" + std::to_string(where.column) + ": ";
  }

 private:
  std::string_view file_name_;
};

// Recursion is bounded by the conversion before it.
void collect_lines(const toml::node& node, const std::string& pointer, LineMap& lines) {
  lines.add(pointer, node.source().begin.line);
  if (const auto* table = node.as_table()) {
    for (const auto& [key, child] : *table) collect_lines(child, pointer + pointer_step(key.str()), lines);
  } else if (const auto* array = node.as_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      collect_lines(*array->get(i), pointer + "/" + std::to_string(i), lines);
    }
  }
}

// lines: null where nobody asks for them.
Result<json::Value> parse(std::string_view text, std::string_view file_name, LineMap* lines) {
  if (text.size() > max_toml_size) {
    return fail(TomlError::too_large, std::string{file_name} + ": " + std::to_string(text.size()) +
                                          " bytes are over the limit of " + std::to_string(max_toml_size));
  }
  if (const auto where = detail::find_too_deep_toml(text, max_depth, max_brackets)) {
    return fail(TomlError::too_deep, std::string{file_name} + ":" + std::to_string(where->line) + ":" +
                                         std::to_string(where->column) + ": nesting is over the limit of 64");
  }
  try {
    const toml::table root = toml::parse(text);
    auto value = TRY(Converter{file_name}.convert(root, 0));
    if (lines != nullptr) collect_lines(root, {}, *lines);
    return value;
  } catch (const toml::parse_error& error) {
    return fail(TomlError::syntax,
                Converter::position(file_name, error.source().begin) + std::string{error.description()});
  }
}

}  // namespace

std::string_view code_name(TomlError code) {
  switch (code) {
    case TomlError::syntax: return "toml.syntax";
    case TomlError::too_large: return "toml.too_large";
    case TomlError::too_deep: return "toml.too_deep";
    case TomlError::bad_number: return "toml.bad_number";
  }
  return "toml.unknown";
}

Result<json::Value> parse_toml(std::string_view text, std::string_view file_name) {
  return TRY(parse(text, file_name, nullptr));
}

Result<Document> parse_toml_document(std::string_view text, std::string_view file_name) {
  LineMap lines;
  auto root = TRY(parse(text, file_name, &lines));
  return Document{.root = std::move(root), .lines = lines.take()};
}

}  // namespace coffer::codec

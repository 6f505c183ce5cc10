#include "keyclient/detail/config_reader.h"

#include <algorithm>

namespace coffer::keyclient::detail {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string_view unquote(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front()) {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

// "[a.b]" to "a.b"; nothing where the line is no table header.
std::optional<std::string_view> table_header(std::string_view line) {
  if (!line.starts_with('[') || line.find(']') == std::string_view::npos) return std::nullopt;
  return trim(line.substr(1, line.find(']') - 1));
}

std::size_t toml_line_of(std::string_view text, std::string_view path, std::string_view key) {
  std::string_view current;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (const auto header = table_header(line)) {
      current = *header;
      // A table in the place of a value.
      const auto full = path.empty() ? std::string{key} : std::string{path} + "." + std::string{key};
      if (current == full) return number;
      continue;
    }
    if (current == path && unquote(trim(line.substr(0, line.find('=')))) == key) return number;
  }
  return 0;
}

std::size_t json_line_of(std::string_view text, std::string_view path, std::string_view key) {
  std::size_t at = 0;
  std::string wanted = path.empty() ? std::string{key} : std::string{path} + "." + std::string{key};
  for (std::string_view rest = wanted; !rest.empty();) {
    const auto dot = path.empty() ? rest.size() : std::min(rest.find('.'), rest.size());
    at = text.find('"' + std::string{rest.substr(0, dot)} + '"', at);
    if (at == std::string_view::npos) return 0;
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  return static_cast<std::size_t>(std::ranges::count(text.substr(0, at), '\n')) + 1;
}

}  // namespace

std::size_t line_of(std::string_view text, std::string_view path, std::string_view key) {
  return trim(text).starts_with('{') ? json_line_of(text, path, key) : toml_line_of(text, path, key);
}

std::string ConfigTable::place(std::string_view key) const {
  const auto line = line_of(source_.text, path_, key);
  std::string where{source_.name};
  if (line > 0) where += ":" + std::to_string(line);
  return where + ": " + (path_.empty() ? "" : path_ + ".") + std::string{key};
}

std::unexpected<Error> ConfigTable::wrong(std::string_view key, std::string_view why, KeyClientError code) const {
  return fail(code, place(key) + ": " + std::string{why});
}

const codec::json::Value* ConfigTable::take(std::string_view key) {
  known_.emplace_back(key);
  return table_ == nullptr ? nullptr : table_->find(key);
}

Result<ConfigTable> ConfigTable::table(std::string_view key) {
  const auto child = path_.empty() ? std::string{key} : path_ + "." + std::string{key};
  const auto* value = take(key);
  if (value == nullptr) return ConfigTable{nullptr, child, source_};
  if (!value->is_object()) return wrong(key, "expected a table, found " + std::string{value->type_name()});
  return ConfigTable{value->if_object(), child, source_};
}

Result<std::optional<std::string>> ConfigTable::text(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_string()) return wrong(key, "expected a text, found " + std::string{value->type_name()});
  return *value->if_string();
}

Result<std::optional<bool>> ConfigTable::boolean(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_bool()) return wrong(key, "expected true or false, found " + std::string{value->type_name()});
  return *value->if_bool();
}

Result<std::optional<std::uint64_t>> ConfigTable::number(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  const auto number = value->if_uint64();
  if (!number) return wrong(key, "expected a whole number from 0, found " + std::string{value->type_name()});
  return *number;
}

void ConfigTable::name_unknown(std::vector<std::string>& notices) const {
  if (table_ == nullptr) return;
  for (const auto& [key, value] : *table_) {
    if (std::ranges::find(known_, key) == known_.end()) notices.push_back(place(key) + " is not known and does nothing");
  }
}

}  // namespace coffer::keyclient::detail

#include "keyclient/detail/config_reader.h"

#include <algorithm>

namespace coffer::keyclient::detail {
std::string ConfigTable::place(std::string_view key) const {
  std::string where{source_.name};
  const auto& lines = source_.document.lines;
  if (const auto line = lines.find(pointer_ + codec::pointer_step(key)); line != lines.end()) {
    where += ":" + std::to_string(line->second);
  }
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
  const auto pointer = pointer_ + codec::pointer_step(key);
  if (value == nullptr) return ConfigTable{nullptr, child, pointer, source_};
  if (!value->is_object()) return wrong(key, "expected a table, found " + std::string{value->type_name()});
  return ConfigTable{value->if_object(), child, pointer, source_};
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
    if (std::ranges::find(known_, key) == known_.end())
      notices.push_back(place(key) + " is not known and does nothing");
  }
}

}  // namespace coffer::keyclient::detail

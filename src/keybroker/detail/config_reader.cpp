#include "keybroker/detail/config_reader.h"

namespace coffer::keybroker::detail {
namespace {

namespace json = codec::json;

std::string shown(const json::Value& value) {
  auto text = json::serialize(value);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return std::string{value.type_name()} + " " + text;
}

}  // namespace

Result<ConfigTable> ConfigTable::root(ConfigSource& source) {
  const auto* object = source.document.root.if_object();
  if (object == nullptr) {
    return fail(BrokerError::config_value,
                source.name + ": expected a table at the top, found " + std::string{source.document.root.type_name()});
  }
  return ConfigTable{source, *object, {}, {}};
}

const json::Value* ConfigTable::take(std::string_view key) {
  seen_.emplace(key);
  const auto* value = object_->find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string ConfigTable::place(std::string_view key) const {
  const auto line = source_->document.lines.find(pointer_ + codec::pointer_step(key));
  auto out = source_->name;
  if (line != source_->document.lines.end()) out += ":" + std::to_string(line->second);
  return out + ": " + (path_.empty() ? "" : path_ + ".") + std::string{key};
}

std::unexpected<Error> ConfigTable::error(BrokerError code, std::string_view key, std::string_view text) const {
  return fail(code, place(key) + ": " + std::string{text});
}

std::unexpected<Error> ConfigTable::wrong(std::string_view key, std::string_view expected,
                                          const json::Value& found) const {
  return error(BrokerError::config_value, key, "expected " + std::string{expected} + ", found " + shown(found));
}

ConfigTable ConfigTable::child(const json::Object& object, std::string path, std::string pointer) const {
  return ConfigTable{*source_, object, std::move(path), std::move(pointer)};
}

Result<std::optional<std::string>> ConfigTable::text(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = value->if_string()) return *text;
  return wrong(key, "a text", *value);
}

Result<std::optional<bool>> ConfigTable::flag(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* flag = value->if_bool()) return *flag;
  return wrong(key, "true or false", *value);
}

Result<std::optional<std::int64_t>> ConfigTable::number(std::string_view key, std::int64_t least, std::int64_t most) {
  const auto* value = take(key);
  if (value == nullptr) return std::nullopt;
  const auto number = value->if_int64();
  if (number && *number >= least && *number <= most) return *number;
  return wrong(key, "an integer from " + std::to_string(least) + " to " + std::to_string(most), *value);
}

Result<std::optional<std::vector<std::string>>> ConfigTable::texts(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = value->if_string()) return std::vector<std::string>{*text};
  const auto* array = value->if_array();
  if (array == nullptr) return wrong(key, "a list of texts", *value);
  std::vector<std::string> out;
  for (const auto& element : *array) {
    if (element.if_string() == nullptr) return wrong(key, "a list of texts", *value);
    out.push_back(*element.if_string());
  }
  return out;
}

Result<std::optional<json::Object>> ConfigTable::object(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* object = value->if_object()) return *object;
  return wrong(key, "a table", *value);
}

Result<std::optional<ConfigTable>> ConfigTable::table(std::string_view key) {
  const auto* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* object = value->if_object()) {
    return child(*object, (path_.empty() ? "" : path_ + ".") + std::string{key}, pointer_ + codec::pointer_step(key));
  }
  return wrong(key, "a table", *value);
}

Result<std::vector<ConfigTable>> ConfigTable::tables(std::string_view key) {
  std::vector<ConfigTable> out;
  const auto* value = take(key);
  if (value == nullptr) return out;
  const auto* array = value->if_array();
  if (array == nullptr) return wrong(key, "a list of tables", *value);
  const auto path = (path_.empty() ? "" : path_ + ".") + std::string{key};
  for (std::size_t i = 0; i < array->size(); ++i) {
    const auto* object = (*array)[i].if_object();
    if (object == nullptr) return wrong(key, "a list of tables", *value);
    out.push_back(child(*object, path + "[" + std::to_string(i) + "]",
                        pointer_ + codec::pointer_step(key) + "/" + std::to_string(i)));
  }
  return out;
}

Result<> ConfigTable::read(std::string_view key, std::string& into) {
  if (auto value = TRY(text(key))) into = *std::move(value);
  return {};
}

Result<> ConfigTable::read(std::string_view key, bool& into) {
  if (const auto value = TRY(flag(key))) into = *value;
  return {};
}

Result<> ConfigTable::read(std::string_view key, std::filesystem::path& into) {
  if (auto value = TRY(text(key))) into = *std::move(value);
  return {};
}

bool ConfigTable::is_table(std::string_view key) const {
  const auto* value = object_->find(key);
  return value != nullptr && value->is_object();
}

void ConfigTable::ignore(std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) seen_.emplace(key);
}

void ConfigTable::finish() {
  for (const auto& [key, value] : *object_) {
    if (!seen_.contains(key)) notice(place(key) + ": this key is not known and has no effect");
  }
}

Result<> ConfigTable::finish_strictly() {
  for (const auto& [key, value] : *object_) {
    if (!seen_.contains(key)) return error(BrokerError::config_unknown_key, key, "this key is not known");
  }
  return {};
}

}  // namespace coffer::keybroker::detail

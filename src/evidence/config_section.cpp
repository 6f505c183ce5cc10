#include "evidence/config_section.h"

#include <algorithm>

#include "base/log.h"

namespace coffer::evidence {

namespace json = codec::json;

Result<ConfigSection> ConfigSection::open(const json::Object& config, std::string name) {
  ConfigSection section;
  section.name_ = std::move(name);
  const auto* member = config.find(section.name_);
  if (member == nullptr || member->is_null()) return section;
  const auto* object = member->if_object();
  if (object == nullptr) {
    return fail(EvidenceError::bad_config, "the setting " + section.name_ + " is expected to be an object, found " +
                                               std::string{member->type_name()});
  }
  section.members_ = *object;
  return section;
}

std::unexpected<Error> ConfigSection::bad(std::string_view key, std::string_view expected,
                                          std::string_view found) const {
  return fail(EvidenceError::bad_config, "the setting " + name_ + "." + std::string{key} + " is expected to be " +
                                             std::string{expected} + ", found " + std::string{found});
}

const json::Value* ConfigSection::value(std::string_view key) {
  asked_.emplace_back(key);
  const auto* found = members_.find(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

Result<bool> ConfigSection::flag(std::string_view key, bool otherwise) {
  const auto* found = value(key);
  if (found == nullptr) return otherwise;
  if (const auto* flag = found->if_bool()) return *flag;
  return bad(key, "true or false", found->type_name());
}

Result<std::optional<std::uint64_t>> ConfigSection::number(std::string_view key, std::uint64_t least,
                                                           std::uint64_t most) {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  const auto number = found->if_uint64();
  if (number && *number >= least && *number <= most) return number;
  return bad(key, "an integer from " + std::to_string(least) + " to " + std::to_string(most), json::serialize(*found));
}

Result<std::optional<std::string>> ConfigSection::text(std::string_view key) {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* text = found->if_string()) return *text;
  return bad(key, "a string", found->type_name());
}

Result<const json::Array*> ConfigSection::array(std::string_view key) {
  const auto* found = value(key);
  if (found == nullptr) return nullptr;
  if (const auto* array = found->if_array()) return array;
  return bad(key, "an array", found->type_name());
}

void ConfigSection::warn_of_unknown_keys() const {
  for (const auto& [key, value] : members_) {
    if (std::ranges::find(asked_, key) != asked_.end()) continue;
    log::warn("evidence.unknown_setting", "this setting is not known and has no effect",
              {{"setting", name_ + "." + key}});
  }
}

}  // namespace coffer::evidence

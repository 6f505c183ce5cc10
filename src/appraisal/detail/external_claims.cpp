#include "appraisal/detail/external_claims.h"

#include <algorithm>

namespace coffer::appraisal::detail {

namespace json = codec::json;

namespace {

constexpr std::string_view aspects[] = {"executables", "hardware", "configuration"};

// "image.digest" within the type's claims; null where it is not there.
json::Value claim_at(const json::Value& claims, std::string_view name) {
  const auto* at = &claims;
  while (at != nullptr && !name.empty()) {
    const auto dot = name.find('.');
    at = at->find(name.substr(0, dot));
    name = dot == name.npos ? std::string_view{} : name.substr(dot + 1);
  }
  return at == nullptr ? json::Value{} : *at;
}

std::string reference_name(const std::string& type, std::string_view name) {
  std::string path{name};
  std::ranges::replace(path, '.', '_');
  return "external_" + type + "_" + path;
}

bool is_one_of(const json::Value& found, const std::optional<json::Value>& good) {
  const auto* list = good ? good->if_array() : nullptr;
  return list != nullptr && !found.is_null() && std::ranges::find(*list, found) != list->end();
}

policy::Condition condition_of(std::string_view aspect, const std::string& type, const std::string& name,
                               json::Value found, std::optional<json::Value> good) {
  const auto claim = "input.external." + type + "." + name;
  return {.rule = std::string{aspect},
          .line = 0,
          .text = claim + " in query_reference_value(\"" + reference_name(type, name) + "\")",
          .held = false,
          .claim = claim,
          .actual = std::move(found),
          .expected = std::move(good).value_or(json::Value{})};
}

}  // namespace

Result<std::vector<policy::Condition>> external_claim_conditions(const json::Object& annotated,
                                                                 const policy::ReferenceValues& reference_values) {
  std::vector<policy::Condition> out;
  const auto* external = annotated.find("external");
  const auto* types = external == nullptr ? nullptr : external->if_object();
  if (types == nullptr) return out;
  for (const auto& [type, claims] : *types) {
    for (const auto aspect : aspects) {
      const auto names = TRY(reference_values(reference_name(type, aspect)));
      const auto* list = names ? names->if_array() : nullptr;
      for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        const auto* name = (*list)[i].if_string();
        if (name == nullptr) continue;
        auto found = claim_at(claims, *name);
        auto good = TRY(reference_values(reference_name(type, *name)));
        if (!is_one_of(found, good))
          out.push_back(condition_of(aspect, type, *name, std::move(found), std::move(good)));
      }
    }
  }
  return out;
}

}  // namespace coffer::appraisal::detail

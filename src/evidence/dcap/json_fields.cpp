#include "evidence/dcap/detail/json_fields.h"

namespace coffer::evidence::dcap::detail {

namespace json = codec::json;

std::unexpected<Error> Fields::bad(std::string_view key, std::string_view expected, std::string_view found) const {
  return fail(code_, path_ + "." + std::string{key} + " is expected to be " + std::string{expected} + ", found " +
                         std::string{found});
}

Result<const json::Array*> Fields::optional_array(std::string_view key) const {
  if (!has(key)) return nullptr;
  return array(key);
}

Result<Fields> Fields::object(std::string_view key) const {
  const auto* member = TRY(lift(object_member(object_, key, path_)));
  return Fields{*member, code_, path_ + "." + std::string{key}};
}

Result<Fields> Fields::element(const json::Array& array, std::size_t index, std::string_view key) const {
  const auto path = path_ + "." + std::string{key} + "[" + std::to_string(index) + "]";
  return Fields {
    *TRY(lift(array[index].as_object(path)))
    , code_, path
  };
}

Result<std::uint64_t> Fields::number(std::string_view key, std::uint64_t max) const {
  const auto* member = object_.find(key);
  if (member == nullptr) return bad(key, "a number", "nothing");
  const auto value = TRY(lift(member->as_uint64(path_ + "." + std::string{key})));
  if (value > max) return bad(key, "at most " + std::to_string(max), std::to_string(value));
  return value;
}

Result<TimePoint> Fields::time(std::string_view key) const {
  return lift(parse_rfc3339(TRY(text(key))));
}

Result<std::vector<std::string>> Fields::optional_texts(std::string_view key) const {
  const auto* values = TRY(optional_array(key));
  std::vector<std::string> out;
  for (std::size_t i = 0; values != nullptr && i < values->size(); ++i) {
    out.emplace_back(TRY(lift((*values)[i].as_string(path_ + "." + std::string{key}))));
  }
  return out;
}

}  // namespace coffer::evidence::dcap::detail

#include "fleet/aggregator/model.h"

#include <charconv>

namespace coffer::fleet::aggregator {

using codec::json::Array;
using codec::json::Object;

namespace {

std::unexpected<Error> bad_model(const std::string& why) {
  return fail(AggregatorError::bad_model, "a model is expected to be {\"w\":[numbers],\"b\":number}: " + why);
}

}  // namespace

Result<Model> Model::read(const Object& document, std::uint64_t version, std::size_t most) {
  const auto* weights = document.find("w");
  const auto* array = weights == nullptr ? nullptr : weights->if_array();
  if (array == nullptr) return bad_model("it has no list \"w\"");
  Model model{.version = version};
  model.values.reserve(array->size() + 1);
  for (const auto& each : *array) {
    const auto number = each.if_double();
    if (!number) return bad_model("\"w\" holds a " + std::string{each.type_name()});
    model.values.push_back(*number);
  }
  if (const auto* bias = document.find("b"); bias != nullptr && !bias->is_null()) {
    const auto number = bias->if_double();
    if (!number) return bad_model("\"b\" is a " + std::string{bias->type_name()});
    model.values.push_back(*number);
    model.has_bias = true;
  }
  if (!model.values.empty() && model.values.size() <= most) return model;
  return bad_model("from 1 to " + std::to_string(most) + " numbers are taken, found " +
                   std::to_string(model.values.size()));
}

std::string Model::text() const {
  Object document;
  const auto weights = values.size() - (has_bias ? 1 : 0);
  document.append("w", Array(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(weights)));
  if (has_bias) document.append("b", values.back());
  document.append("version", version);
  return codec::json::serialize(document);
}

std::uint64_t version_in(std::string_view uri) {
  const auto last = uri.find_last_not_of("0123456789");
  const auto digits = last == std::string_view::npos ? uri : uri.substr(last + 1);
  std::uint64_t version = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), version);
  return version;
}

std::string uri_of(std::uint64_t version) {
  return "fl/models/global_model_v" + std::to_string(version);
}

}  // namespace coffer::fleet::aggregator

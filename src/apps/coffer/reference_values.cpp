#include "apps/coffer/reference_values.h"

#include <algorithm>

#include "apps/coffer/admin_client.h"
#include "codec/base64.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

bool holds_events(std::string_view name) {
  return name.ends_with("_events");
}

// A list of machines, each a list of events; one machine's events stand for themselves.
Array machines_of(const Array& events) {
  if (events.empty() || events.front().is_array()) return events;
  return Array{Value(events)};
}

// By name, as the broker has them now.
Result<Object> present_values(AdminClient& broker) {
  Object out;
  const auto answer = TRY(broker.get_json("reference-value"));
  for (const auto& item : *TRY(answer.as_array("reference values"))) {
    const auto& entry = *TRY(item.as_object("reference values[]"));
    const auto name = TRY(codec::json::string_member(entry, "name", "reference values[]"));
    if (const auto* value = entry.find("value")) out.set(name, *value);
  }
  return out;
}

}  // namespace

Result<Value> merged_reference_value(std::string_view name, const Value& present, const Value& added) {
  const auto* have = present.if_array();
  const auto* more = added.if_array();
  if (have == nullptr || more == nullptr) {
    if (present == added) return present;
    return fail(CliError::usage, "reference value " + std::string{name} +
                                     " is a single value, which policies compare as it is: nothing can be added to it");
  }
  auto out = holds_events(name) ? machines_of(*have) : *have;
  for (const auto& each : holds_events(name) ? machines_of(*more) : *more) {
    if (std::ranges::find(out, each) == out.end()) out.push_back(each);
  }
  return Value(std::move(out));
}

Result<> register_reference_values(const Context& context, const Object& values, bool add) {
  auto broker = TRY(AdminClient::create(context));
  auto all = values;
  if (add) {
    const auto present = TRY(present_values(broker));
    for (auto& [name, value] : all) {
      if (const auto* found = present.find(name)) value = TRY(merged_reference_value(name, *found, value));
    }
  }
  // RVPS message (trustee.md 6.3): the payload of type "sample" is an object of names and values.
  const auto payload = codec::json::serialize(all);
  TRY(broker.post_json(
      "reference-value",
      Object{{"version", "0.1.0"}, {"type", "sample"}, {"payload", codec::base64_encode(as_bytes(payload))}}));
  return {};
}

}  // namespace coffer::cli

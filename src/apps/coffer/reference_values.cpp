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

namespace {

// RVPS message (trustee.md 6.3): the payload of type "sample" is an object of names and values. `expected` is ours: a
// broker of upstream's passes it over.
Result<> post_values(AdminClient& broker, const Object& values, const std::optional<Object>& expected) {
  const auto payload = codec::json::serialize(values);
  Object message{{"version", "0.1.0"}, {"type", "sample"}, {"payload", codec::base64_encode(as_bytes(payload))}};
  if (expected) message.append("expected", *expected);
  return broker.post_json("reference-value", message);
}

bool is_conflict(const Error& error) {
  return std::ranges::any_of(error.context, [](const auto& field) {
    return field.first == "broker_code" && field.second == "broker.reference_value_conflict";
  });
}

// What the broker has, and these; as long as nobody else changes it in between.
Result<> add_values(AdminClient& broker, Object values) {
  const auto present = TRY(present_values(broker));
  Object expected;
  for (auto& [name, value] : values) {
    const auto* found = present.find(name);
    expected.append(name, found == nullptr ? Value{} : *found);
    if (found != nullptr) value = TRY(merged_reference_value(name, *found, value));
  }
  return post_values(broker, values, expected);
}

}  // namespace

Result<> register_reference_values(const Context& context, const Object& values, bool add) {
  auto broker = TRY(AdminClient::create(context));
  if (!add) return post_values(broker, values, std::nullopt);
  constexpr int attempts = 100;  // each time somebody else was first
  for (int attempt = 1;; ++attempt) {
    auto added = add_values(broker, values);
    if (added || attempt == attempts || !is_conflict(added.error())) return added;
  }
}

}  // namespace coffer::cli

#include "appraisal/reference_values.h"

#include "base/log.h"
#include "codec/base64.h"

namespace coffer::appraisal {

namespace json = codec::json;

namespace {

constexpr std::string_view space = "reference_value";
constexpr std::string_view message_version = "0.1.0";
constexpr std::size_t page_size = 1000;

Error bad(std::string message) {
  return Error{AppraisalError::bad_reference_message, std::move(message)};
}

Result<> check_name(std::string_view name) {
  if (const auto valid = storage::check_key(space, name); !valid) {
    return fail(AppraisalError::bad_reference_name,
                "\"" + std::string{name.substr(0, 100)} + "\" cannot name a reference value: " + valid.error().message);
  }
  return {};
}

// Twelve calendar months on, and the month's last day where that day does not exist (29 February).
std::string expiration_after(TimePoint now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  auto date = std::chrono::year_month_day{day} + std::chrono::months{12};
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;
  return format_rfc3339(std::chrono::sys_days{date} + (now - day));
}

struct Message {
  std::string payload;
  std::optional<json::Object> expected{};
};

// A message is {"version"?, "type", "payload"} (trustee.md 6.3), and our "expected".
Result<Message> read_message(std::string_view message) {
  auto value = json::parse(message);
  if (!value) return fail(bad("a reference value message is expected to be JSON: " + value.error().message));
  const auto* version = value->find("version");
  if (version != nullptr && *version != json::Value{message_version}) {
    return fail(bad("a reference value message of version " + std::string{message_version} + " is expected, found " +
                    json::serialize(*version).substr(0, 100)));
  }
  const auto* type = value->find("type");
  const auto* payload = value->find("payload");
  if (type == nullptr || !type->is_string() || payload == nullptr || !payload->is_string()) {
    return fail(bad("a reference value message is expected to have the strings \"type\" and \"payload\""));
  }
  if (*type->if_string() != "sample") {
    return fail(AppraisalError::unsupported_reference, "reference value messages of type \"" +
                                                           type->if_string()->substr(0, 32) +
                                                           "\" are not supported; expected \"sample\"");
  }
  auto bytes = codec::base64_decode(*payload->if_string());
  if (!bytes) return fail(bad("the payload of a reference value message is no base64: " + bytes.error().message));
  Message out{.payload = to_text(*bytes)};
  const auto* expected = value->find("expected");
  if (expected == nullptr) return out;
  if (expected->if_object() == nullptr) return fail(bad("a message's \"expected\" is expected to be an object"));
  out.expected = *expected->if_object();
  return out;
}

Result<json::Object> sample_values(std::string_view payload) {
  auto value = json::parse(payload);
  if (!value) return fail(bad("the payload of a sample message is expected to be JSON: " + value.error().message));
  if (const auto* values = value->if_object()) return *values;
  return fail(bad("the payload of a sample message is expected to be an object from name to value, found " +
                  std::string{value->type_name()}));
}

std::optional<TimePoint> time_member(const json::Value& object, std::string_view key) {
  const auto* text = object.find(key);
  if (text == nullptr || !text->is_string()) return std::nullopt;
  const auto time = parse_rfc3339(*text->if_string());
  return time ? std::optional{*time} : std::nullopt;
}

Result<ReferenceValue> read_stored(std::string_view name, ByteView bytes, TimePoint now) {
  const auto value = json::parse(as_text(bytes)).value_or(json::Value{});
  const auto* content = value.find("value");
  const auto time = time_member(value, "expiration");
  if (content == nullptr || !time) {
    return fail(storage::StorageError::corrupt, "stored reference value \"" + std::string{name} +
                                                    "\" is expected to have \"value\" and an RFC 3339 "
                                                    "\"expiration\"");
  }
  const auto* version = value.find("version");
  return ReferenceValue{.name = std::string{name},
                        .version = version != nullptr && version->is_string() ? *version->if_string() : std::string{},
                        .expiration = *value.find("expiration")->if_string(),
                        .value = *content,
                        .expired = *time <= now};
}

}  // namespace

json::Object ReferenceValue::to_json() const {
  return {{"version", version}, {"name", name}, {"expiration", expiration}, {"value", value}};
}

Result<std::vector<std::string>> ReferenceValueStore::register_message(std::string_view message) {
  const auto read = TRY(read_message(message));
  const auto values = TRY(sample_values(read.payload));
  std::vector<std::string> names;
  for (const auto& [name, value] : values) {
    TRY(check_name(name));
    names.push_back(name);
  }
  if (read.expected) {
    TRY(set_if(values, *read.expected));
  } else {
    for (const auto& [name, value] : values) TRY(set(name, value));
  }
  return names;
}

json::Value ReferenceValueStore::stored_form(std::string_view name, const json::Value& value) const {
  return ReferenceValue{.name = std::string{name},
                        .version = std::string{message_version},
                        .expiration = expiration_after(clock_.now()),
                        .value = value}
      .to_json();
}

Result<> ReferenceValueStore::set(std::string_view name, const json::Value& value) {
  TRY(check_name(name));
  return store_->put(space, name, as_bytes(json::serialize(stored_form(name, value))));
}

Result<> ReferenceValueStore::set_if(const json::Object& values, const json::Object& expected) {
  const auto conflict = [](std::string_view name) {
    return fail(AppraisalError::reference_conflict,
                "reference value " + std::string{name} + " is not what it was expected to be: somebody has changed it");
  };
  std::vector<std::optional<Bytes>> present;
  for (const auto& [name, value] : values) {
    present.push_back(TRY(store_->get(space, name)));
    const auto* wanted = expected.find(name);
    if (wanted == nullptr) continue;  // whatever it is
    json::Value found;
    if (present.back()) found = TRY(read_stored(name, *present.back(), clock_.now()))
    .value;
    if (found != *wanted) return conflict(name);
  }
  auto before = present.begin();
  for (const auto& [name, value] : values) {
    const auto& bytes = *before++;
    const auto put = store_->put_if(space, name, bytes ? std::optional<ByteView>{*bytes} : std::nullopt,
                                    as_bytes(json::serialize(stored_form(name, value))));
    if (!put && put.error().code == ErrorCode{storage::StorageError::conflict}) return conflict(name);
    TRY(put);
  }
  return {};
}

Result<std::optional<ReferenceValue>> ReferenceValueStore::find(std::string_view name) const {
  TRY(check_name(name));
  const auto bytes = TRY(store_->get(space, name));
  if (!bytes) return std::optional<ReferenceValue>{};
  return std::optional {
    TRY(read_stored(name, *bytes, clock_.now()))
  };
}

Result<std::optional<json::Value>> ReferenceValueStore::query(std::string_view name) const {
  auto found = TRY(find(name));
  if (!found) return std::optional<json::Value>{};
  if (found->expired) {
    log::warn("appraisal.reference_value_expired", "an expired reference value was used; register it again",
              {{"name", found->name}, {"expiration", found->expiration}});
  }
  return std::optional{std::move(found->value)};
}

Result<std::vector<ReferenceValue>> ReferenceValueStore::list() const {
  std::vector<ReferenceValue> out;
  std::string after;
  while (true) {
    const auto names = TRY(store_->list(space, {}, after, page_size));
    for (const auto& name : names) {
      // Erased between the two calls: no longer there, no error.
      if (auto value = TRY(find(name))) out.push_back(*std::move(value));
    }
    if (names.size() < page_size) return out;
    after = names.back();
  }
}

Result<bool> ReferenceValueStore::erase(std::string_view name) {
  TRY(check_name(name));
  return store_->erase(space, name);
}

std::string sample_reference_message(std::string_view name, const json::Value& value) {
  const json::Object payload{{std::string{name}, value}};
  return json::serialize(
      json::Value{json::Object{{"version", message_version},
                               {"type", "sample"},
                               {"payload", codec::base64_encode(as_bytes(json::serialize(json::Value{payload})))}}});
}

}  // namespace coffer::appraisal

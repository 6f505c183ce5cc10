#include "fleet/commands.h"

#include <cmath>

#include "codec/base64.h"
#include "fleet/detail/members.h"

namespace coffer::fleet {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;
using detail::Members;

constexpr std::uint64_t max_timeout_seconds = 366ULL * 24 * 3600;

std::optional<std::string> input_text(const Value& value) {
  if (const auto* text = value.if_string()) return text->contains('\0') ? std::nullopt : std::optional{*text};
  if (value.is_bool()) return *value.if_bool() ? "true" : "false";
  if (!value.is_number()) return std::nullopt;
  const double number = value.if_double().value_or(0);
  if (!value.is_integer() && std::trunc(number) == number && std::fabs(number) < 0x1p53)
    return std::to_string(static_cast<std::int64_t>(number));
  return codec::json::serialize(value);
}

Result<std::vector<std::string>> inputs_member(const Members& members) {
  const Value* value = members.find("inputs");
  if (value == nullptr) return std::vector<std::string>{};
  return read_inputs(*value, members.path("inputs"));
}

// Our broker's guests are given seconds; fractions are fine.
Result<std::optional<std::chrono::milliseconds>> timeout_member(const Members& members) {
  using Timeout = std::optional<std::chrono::milliseconds>;
  const Value* value = members.find("timeout_seconds");
  if (value == nullptr) return Timeout{};
  const double seconds = TRY(members.number("timeout_seconds"));
  if (seconds < 0.001 || seconds > static_cast<double>(max_timeout_seconds))
    return fail(members.bad("timeout_seconds", "a millisecond to a year", *value));
  return Timeout{std::chrono::milliseconds{static_cast<std::int64_t>(std::llround(seconds * 1000))}};
}

Result<> read_image(const Members& members, StartCommand& start) {
  start.image_url = TRY(members.line("image_url"));
  const std::string alias = TRY(members.line("oci_reference"));
  if (start.image_url.empty()) start.image_url = alias;
  if (!alias.empty() && alias != start.image_url)
    return fail(FleetError::bad_member, "start.oci_reference: expected the same as image_url \"" + start.image_url +
                                            "\", found \"" + alias + "\"");
  return {};
}

Result<> read_flags(const Members& members, StartCommand& start) {
  start.broadcast = TRY(members.flag("broadcast", false));
  start.daemon = TRY(members.flag("daemon", false));
  start.latent = TRY(members.flag("latent", false));
  start.encrypted = TRY(members.flag("encrypted", false));
  return {};
}

Result<> read_limits(const Members& members, StartCommand& start) {
  start.fuel = TRY(members.optional_count("fuel"));
  start.memory_bytes = TRY(members.optional_count("memory_bytes"));
  start.timeout = TRY(timeout_member(members));
  return {};
}

Result<> read_work(const Members& members, StartCommand& start) {
  TRY(read_image(members, start));
  start.file = TRY(members.base64("file"));
  if (start.file && start.file->empty()) start.file.reset();  // Go writes "" for no bytes
  start.inputs = TRY(inputs_member(members));
  start.cli_args = TRY(members.texts("cli_args"));
  start.env = TRY(members.text_map("env"));
  start.parent_results = TRY(members.object("parent_results"));
  if (const Value* profile = members.find("monitoring_profile"))
    start.monitoring_profile = TRY(read_monitoring_profile(*profile));
  return {};
}

Result<> read_names(const Members& members, StartCommand& start) {
  start.kbs_resource_path = TRY(members.line("kbs_resource_path"));
  start.proplet_id = TRY(members.optional_identifier("proplet_id"));
  start.hal_storage_path = TRY(members.line("hal_storage_path"));
  start.mode = TRY(members.optional_identifier("mode"));
  start.kbs_uri = TRY(members.line("kbs_uri"));
  start.module_digest = TRY(members.optional_identifier("module_digest"));
  start.run = TRY(members.optional_identifier("run"));
  if (const Value* signature = members.find("module_signature"))
    start.module_signature = TRY(read_module_signature(*signature, members.path("module_signature")));
  return {};
}

Value text_array_or_null(const std::vector<std::string>& texts) {
  return texts.empty() ? Value{} : Value{detail::text_array(texts)};
}

void append_work(Object& object, const StartCommand& start) {
  detail::append_text(object, "image_url", start.image_url);
  if (start.file) object.append("file", codec::base64_encode(*start.file));
  if (!start.inputs.empty()) object.append("inputs", detail::text_array(start.inputs));
  object.append("cli_args", text_array_or_null(start.cli_args));
  object.append("broadcast", start.broadcast);
  object.append("daemon", start.daemon);
  object.append("latent", start.latent);
  if (!start.env.empty()) object.append("env", detail::text_object(start.env));
  object.append("encrypted", start.encrypted);
  detail::append_text(object, "kbs_resource_path", start.kbs_resource_path);
  if (start.monitoring_profile)
    object.append("monitoring_profile", write_monitoring_profile(*start.monitoring_profile));
}

void append_additions(Object& object, const StartCommand& start) {
  detail::append_text(object, "kbs_uri", start.kbs_uri);
  detail::append_text(object, "module_digest", start.module_digest);
  detail::append_text(object, "run", start.run);
  detail::append_text(object, "traceparent", start.traceparent);
  if (start.module_signature) object.append("module_signature", write_module_signature(*start.module_signature));
  if (start.fuel) object.append("fuel", *start.fuel);
  if (start.memory_bytes) object.append("memory_bytes", *start.memory_bytes);
  if (!start.timeout) return;
  const auto milliseconds = start.timeout->count();
  const Value seconds =
      milliseconds % 1000 == 0 ? Value{milliseconds / 1000} : Value{static_cast<double>(milliseconds) / 1000};
  object.append("timeout_seconds", seconds);
}

}  // namespace

Result<std::vector<std::string>> read_inputs(const Value& value, std::string_view what) {
  const Array* array = value.if_array();
  if (array == nullptr || array->size() > detail::max_entries)
    return fail(FleetError::bad_member, std::string{what} + ": expected an array of at most 1024 inputs, found " +
                                            std::string{value.type_name()});
  std::vector<std::string> inputs;
  inputs.reserve(array->size());
  for (const Value& item : *array) {
    auto text = input_text(item);
    if (!text)
      return fail(FleetError::bad_member,
                  std::string{what} + ": expected text or a number, found " + std::string{item.type_name()});
    inputs.push_back(std::move(*text));
  }
  return inputs;
}

Result<StartCommand> parse_start(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  auto start = TRY(read_start(object, "start"));
  start.traceparent = Members{object, "start"}.hint("traceparent");
  return start;
}

Result<StartCommand> read_start(const Object& object, std::string_view what) {
  const Members members{object, what};
  StartCommand start;
  start.id = TRY(members.identifier("id"));
  start.name = TRY(members.line("name"));
  start.state = static_cast<std::int64_t>(TRY(members.count("state")));
  TRY(read_flags(members, start));
  TRY(read_work(members, start));
  TRY(read_names(members, start));
  TRY(read_limits(members, start));
  return start;
}

Result<StopCommand> parse_stop(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  const Members members{object, "stop"};
  StopCommand stop;
  stop.id = TRY(members.identifier("id"));
  stop.broadcast = TRY(members.flag("broadcast", false));
  stop.proplet_id = TRY(members.optional_identifier("proplet_id"));
  stop.traceparent = members.hint("traceparent");
  return stop;
}

Result<InvokeCommand> parse_invoke(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  const Members members{object, "invoke"};
  InvokeCommand invoke;
  invoke.id = TRY(members.identifier("id"));
  invoke.broadcast = TRY(members.flag("broadcast", false));
  invoke.proplet_id = TRY(members.optional_identifier("proplet_id"));
  invoke.invocation_id = TRY(members.identifier("invocation_id"));
  invoke.inputs = TRY(inputs_member(members));
  invoke.env = TRY(members.text_map("env"));
  invoke.traceparent = members.hint("traceparent");
  return invoke;
}

std::string to_json(const StartCommand& start) {
  Object object{{"id", start.id}, {"name", start.name}, {"state", start.state}};
  append_work(object, start);
  detail::append_text(object, "proplet_id", start.proplet_id);
  detail::append_text(object, "hal_storage_path", start.hal_storage_path);
  detail::append_text(object, "mode", start.mode);
  if (!start.parent_results.empty()) object.append("parent_results", start.parent_results);
  append_additions(object, start);
  return codec::json::serialize(object);
}

std::string to_json(const StopCommand& stop) {
  Object object{{"id", stop.id}, {"broadcast", stop.broadcast}, {"proplet_id", stop.proplet_id}};
  detail::append_text(object, "traceparent", stop.traceparent);
  return codec::json::serialize(object);
}

std::string to_json(const InvokeCommand& invoke) {
  Object object{{"id", invoke.id},
                {"broadcast", invoke.broadcast},
                {"proplet_id", invoke.proplet_id},
                {"invocation_id", invoke.invocation_id},
                {"inputs", text_array_or_null(invoke.inputs)},
                {"env", detail::text_object(invoke.env)}};
  detail::append_text(object, "traceparent", invoke.traceparent);
  return codec::json::serialize(object);
}

Result<> check(const StartCommand& start) {
  if (start.id.empty()) return fail(FleetError::missing_member, "start.id: expected text, found none");
  if (start.name.empty()) return fail(FleetError::missing_member, "start.name: expected text, found none");
  if (start.encrypted && start.image_url.empty())
    return fail(FleetError::encrypted_needs_image, "an encrypted task needs image_url, and this one has none");
  if (start.encrypted && start.file)
    return fail(FleetError::encrypted_with_file,
                "an encrypted task is run from image_url alone, and this one carries a file");
  if (start.image_url.empty() && !start.file)
    return fail(FleetError::nothing_to_run, "a task needs file or image_url, and this one has neither");
  return {};
}

bool is_for(std::string_view proplet_id, bool broadcast, std::string_view own_id) {
  return broadcast || proplet_id.empty() || proplet_id == own_id;
}

}  // namespace coffer::fleet

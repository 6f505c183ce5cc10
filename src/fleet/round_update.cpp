#include "fleet/round_update.h"

#include "codec/base64.h"
#include "fleet/detail/members.h"

namespace coffer::fleet {

using codec::json::Object;
using detail::Members;

Result<Object> parse_update_object(std::string_view text) {
  constexpr std::size_t max_values = 1U << 21;
  auto value = codec::json::parse(
      text, {.max_size = max_round_update, .max_depth = detail::max_depth, .max_values = max_values});
  if (!value) return fail(FleetError::bad_payload, "expected an update in JSON: " + value.error().message);
  if (value->is_object()) return std::move(*value->if_object());
  return fail(FleetError::bad_payload,
              "expected an update that is an object, found " + std::string{value->type_name()});
}

Result<RoundUpdate> parse_round_update(std::string_view text) {
  const auto object = TRY(parse_update_object(text));
  return read_round_update(object);
}

Result<RoundUpdate> read_round_update(const Object& object) {
  const Members members{object, "update"};
  RoundUpdate update;
  update.task_id = TRY(members.optional_identifier("task_id"));
  update.round_id = TRY(members.optional_identifier("round_id"));
  update.proplet_id = TRY(members.optional_identifier("proplet_id"));
  update.num_samples = TRY(members.optional_count("num_samples"));
  auto content = TRY(members.base64("update_b64"));
  if (content) update.content = std::move(*content);
  if (auto format = TRY(members.optional_identifier("format")); !format.empty()) update.format = std::move(format);
  update.metrics = TRY(members.object("metrics"));
  if (members.find("update") != nullptr) update.weights = TRY(members.object("update"));
  update.base_model_uri = TRY(members.line("base_model_uri"));
  update.module_digest = TRY(members.optional_identifier("module_digest"));
  return update;
}

Object write_round_update(const RoundUpdate& update) {
  Object object{{"task_id", update.task_id}, {"round_id", update.round_id}, {"proplet_id", update.proplet_id}};
  if (update.num_samples) object.append("num_samples", *update.num_samples);
  object.append("update_b64", codec::base64_encode(update.content));
  object.append("format", update.format);
  object.append("metrics", update.metrics);
  if (update.weights) object.append("update", *update.weights);
  detail::append_text(object, "base_model_uri", update.base_model_uri);
  detail::append_text(object, "module_digest", update.module_digest);
  return object;
}

}  // namespace coffer::fleet

#include "fleet/round_start.h"

#include "fleet/detail/members.h"

namespace coffer::fleet {

using codec::json::Object;

Result<RoundStart> parse_round_start(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  const detail::Members members{object, "round"};
  RoundStart round;
  round.round_id = TRY(members.identifier("round_id"));
  round.model_uri = TRY(members.line("model_uri"));
  round.task_wasm_image = TRY(members.line("task_wasm_image"));
  round.participants = TRY(members.texts("participants"));
  round.hyperparams = TRY(members.object("hyperparams"));
  round.sealed = TRY(members.flag("sealed", false));
  round.encrypted = TRY(members.flag("encrypted", false));
  round.kbs_resource_path = TRY(members.line("kbs_resource_path"));
  return round;
}

std::string to_json(const RoundStart& round) {
  Object object{{"round_id", round.round_id},
                {"model_uri", round.model_uri},
                {"task_wasm_image", round.task_wasm_image},
                {"participants", detail::text_array(round.participants)},
                {"hyperparams", round.hyperparams}};
  if (round.sealed) object.append("sealed", true);
  if (round.encrypted) object.append("encrypted", true);
  detail::append_text(object, "kbs_resource_path", round.kbs_resource_path);
  return codec::json::serialize(object);
}

}  // namespace coffer::fleet

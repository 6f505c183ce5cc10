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
  return round;
}

std::string to_json(const RoundStart& round) {
  return codec::json::serialize(Object{{"round_id", round.round_id},
                                       {"model_uri", round.model_uri},
                                       {"task_wasm_image", round.task_wasm_image},
                                       {"participants", detail::text_array(round.participants)},
                                       {"hyperparams", round.hyperparams}});
}

}  // namespace coffer::fleet

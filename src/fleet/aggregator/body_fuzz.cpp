// What comes to an aggregator by REST, read as a round, as a model and as an update to one; what is read as a model is
// written and read again, and an update that counts makes a finite model.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "fleet/aggregator/fedavg.h"
#include "fleet/aggregator/round.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::fleet::aggregator;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const Model base{.version = 1, .values = {1, -1, 0}, .has_bias = true};
  const auto count = [&](const fleet::RoundUpdate& update) {
    const auto contribution = read_contribution(update, base, {.clip_norm = 10});
    if (!contribution) return;
    if (contribution->difference.size() != base.values.size()) std::abort();
    const auto model = average(base, {{"w", *contribution}}, 2);
    if (!model) std::abort();  // what is clipped cannot leave the range
    for (const double value : model->values) {
      if (!std::isfinite(value)) std::abort();
    }
  };
  count({.num_samples = 1, .content = to_bytes(text)});
  count({.num_samples = 1, .content = to_bytes(text), .format = std::string{fleet::RoundUpdate::json}});
  const auto object = fleet::parse_update_object(text);
  if (!object) return 0;
  (void)read_plan(*object, {});
  const auto model = Model::read(*object, 3, 100);
  if (!model) return 0;
  const auto again = codec::json::parse(model->text());
  if (!again || Model::read(*again->if_object(), 3, 100)->values != model->values) std::abort();
  return 0;
}

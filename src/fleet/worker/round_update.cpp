#include "fleet/worker/round_update.h"

#include "codec/base64.h"

namespace coffer::fleet::worker {
namespace {

using codec::json::Object;

std::uint64_t samples_of(const std::string& raw_result) {
  const auto parsed = codec::json::parse(raw_result);
  const auto* count = parsed ? parsed->find("num_samples") : nullptr;
  return count == nullptr ? 1 : count->if_uint64().value_or(1);
}

}  // namespace

codec::json::Value round_update(const std::string& task_id, const std::string& round_id, const std::string& own_id,
                                const std::string& raw_result) {
  return Object{{"task_id", task_id},
                {"round_id", round_id},
                {"proplet_id", own_id},
                {"num_samples", samples_of(raw_result)},
                {"update_b64", codec::base64_encode(as_bytes(raw_result))},
                {"format", "f32-delta"},
                {"metrics", Object{}}};
}

}  // namespace coffer::fleet::worker

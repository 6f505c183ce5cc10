#include "fleet/worker/rounds/round_update.h"

#include <charconv>

#include "codec/base64.h"

namespace coffer::fleet::worker {
namespace {

using codec::json::Object;

std::string value_of(const std::map<std::string, std::string>& environment, const std::string& name,
                     std::string_view otherwise) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string{otherwise} : found->second;
}

std::uint64_t sample_count(const std::string& text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc{} && end == text.data() + text.size() ? count : 1;
}

bool is_document(const std::string& text) {
  const auto value = codec::json::parse(text, {.max_size = max_round_update, .max_values = 1U << 21});
  return value && value->is_object();
}

}  // namespace

RoundUpdate own_update(const std::string& task_id, const std::string& own_id,
                       const std::map<std::string, std::string>& environment, const std::string& raw_result) {
  RoundUpdate update{.task_id = task_id,
                     .round_id = value_of(environment, "ROUND_ID", ""),
                     .proplet_id = own_id,
                     .content = to_bytes(raw_result),
                     .format = value_of(environment, "FL_FORMAT", "")};
  if (update.format.empty()) update.format = is_document(raw_result) ? RoundUpdate::json : RoundUpdate::f32_delta;
  const auto samples = value_of(environment, "FL_NUM_SAMPLES", "");
  if (!samples.empty() || update.format != RoundUpdate::json) update.num_samples = sample_count(samples);
  return update;
}

codec::json::Value round_update(const std::string& task_id, const std::string& own_id,
                                const std::map<std::string, std::string>& environment, const std::string& raw_result) {
  return Object{{"task_id", task_id},
                {"round_id", value_of(environment, "ROUND_ID", "")},
                {"proplet_id", own_id},
                {"num_samples", sample_count(value_of(environment, "FL_NUM_SAMPLES", "1"))},
                {"update_b64", codec::base64_encode(as_bytes(raw_result))},
                {"format", value_of(environment, "FL_FORMAT", "f32-delta")},
                {"metrics", Object{}}};
}

}  // namespace coffer::fleet::worker

#include "fleet/worker/unsent_result.h"

#include "fleet/results.h"
#include "fleet/worker/error.h"

namespace coffer::fleet::worker {
namespace {

template <class Answer>
std::optional<std::string> failure(Result<Answer> answer, std::size_t size, const Error& why) {
  const auto code = code_name(WorkerError::result_not_sent);
  if (!answer || answer->details.code == code) return std::nullopt;
  answer->results = std::string{};
  answer->error = "the task ended, and its result of " + std::to_string(size) + " bytes was not sent: " + why.message +
                  ". Less output is sent with a smaller PROPLET_MAX_OUTPUT";
  answer->details = {.code = std::string{code},
                     .exit_code = answer->details.exit_code,
                     .module_digest = std::move(answer->details.module_digest)};
  return to_json(*answer);
}

}  // namespace

std::optional<std::string> unsent_result(Topic topic, std::string_view payload, const Error& why) {
  if (topic == Topic::results) return failure(parse_task_result(payload), payload.size(), why);
  if (topic == Topic::invoke_results) return failure(parse_invoke_result(payload), payload.size(), why);
  return std::nullopt;
}

}  // namespace coffer::fleet::worker

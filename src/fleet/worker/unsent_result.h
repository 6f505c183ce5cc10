// What is said in the place of a result that the MQTT broker does not take, so that its task does not wait for ever.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "fleet/topics.h"

namespace coffer::fleet::worker {

// Results this small are under any broker's limit, and not worth a copy while they are on their way.
inline constexpr std::size_t surely_taken = 4096;

// The same task's failure (worker.result_not_sent) with the reason, without output and signature. Nothing where the
// payload is no result, or says this already.
std::optional<std::string> unsent_result(Topic topic, std::string_view payload, const Error& why);

}  // namespace coffer::fleet::worker

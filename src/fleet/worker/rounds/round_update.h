// The result of a federated round's task.
#pragma once

#include <map>
#include <string>

#include "codec/json.h"
#include "fleet/round_update.h"

namespace coffer::fleet::worker {

// Upstream's form: the module's raw result in base64. The task's environment says how many samples it stands for
// (FL_NUM_SAMPLES, 1), in which format it is (FL_FORMAT, "f32-delta") and of which round (ROUND_ID).
codec::json::Value round_update(const std::string& task_id, const std::string& own_id,
                                const std::map<std::string, std::string>& environment, const std::string& raw_result);

// The same for the inside of a seal: FL_FORMAT where the task says none is "json" for a document and "f32-delta"
// otherwise, and a document's own count of samples is left to it.
RoundUpdate own_update(const std::string& task_id, const std::string& own_id,
                       const std::map<std::string, std::string>& environment, const std::string& raw_result);

}  // namespace coffer::fleet::worker

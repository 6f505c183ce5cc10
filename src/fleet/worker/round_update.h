// The result of a federated round's task.
#pragma once

#include <string>

#include "codec/json.h"

namespace coffer::fleet::worker {

// Upstream's form: the module's raw result in base64, and the number of samples where the result is JSON that names
// one ("num_samples"), otherwise 1.
codec::json::Value round_update(const std::string& task_id, const std::string& round_id, const std::string& own_id,
                                const std::string& raw_result);

}  // namespace coffer::fleet::worker

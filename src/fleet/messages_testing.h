// Messages with everything in them, and random ones, for tests of both directions.
#pragma once

#include <random>
#include <string>

#include "fleet/messages.h"

namespace coffer::fleet {

// Text of up to `longest` characters out of a small alphabet that holds quotes, spaces and letters beyond ASCII.
std::string random_text(std::mt19937& random, std::size_t longest = 12);
Bytes random_bytes(std::mt19937& random, std::size_t longest = 64);
StartCommand random_start(std::mt19937& random);
Capabilities random_capabilities(std::mt19937& random);
Discovery random_discovery(std::mt19937& random);
TaskResult random_result(std::mt19937& random);
TaskMetrics random_task_metrics(std::mt19937& random);

// `payload` with the member at `key` set to the JSON text `value`, or taken out where `value` is empty.
std::string with_member(const std::string& payload, const std::string& key, const std::string& value);

}  // namespace coffer::fleet

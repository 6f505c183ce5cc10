// What --version says of this build and this machine, the same for every program.
#pragma once

#include <string>

#include "codec/json.h"

namespace coffer::apps {

// "coffer 0.1.0\n  TEEs built in: ...\n  TEE detected: ...".
std::string version_text(std::string_view program);
codec::json::Object version_json();
// {"tee":"snp"|null,"findings":[{"tee","device","taken","reason"}]}: what the machine shows, in detection's order.
codec::json::Object machine_json();

}  // namespace coffer::apps

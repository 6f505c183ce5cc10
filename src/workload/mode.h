// How the key is asked for.
#pragma once

#include <string_view>

#include "workload/error.h"

namespace coffer::workload {

// automatic: probe the broker and choose.
enum class Mode { automatic, background_check, passport, offline };
std::string_view name_of(Mode mode);             // "auto", "background-check", "passport", "offline"
Result<Mode> parse_mode(std::string_view name);  // also "background_check"; Error: WorkloadError::usage

}  // namespace coffer::workload

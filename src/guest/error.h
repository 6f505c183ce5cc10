#pragma once

#include "workload/error.h"

namespace coffer::guest {

// The runner has no failures but those of the work it does.
using GuestError = workload::WorkloadError;

}  // namespace coffer::guest

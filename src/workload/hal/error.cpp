#include "workload/hal/error.h"

namespace coffer::workload::hal {

std::string_view code_name(HalError code) {
  switch (code) {
    case HalError::unknown_function: return "hal.unknown_function";
    case HalError::bad_arguments: return "hal.bad_arguments";
    case HalError::denied: return "hal.denied";
    case HalError::unsupported: return "hal.unsupported";
    case HalError::unavailable: return "hal.unavailable";
    case HalError::bad_handle: return "hal.bad_handle";
    case HalError::bad_value: return "hal.bad_value";
    case HalError::limit: return "hal.limit";
    case HalError::not_found: return "hal.not_found";
    case HalError::wrong_state: return "hal.wrong_state";
    case HalError::timeout: return "hal.timeout";
    case HalError::io: return "hal.io";
    case HalError::stopped: return "hal.stopped";
    case HalError::storage_refused: return "hal.storage_refused";
  }
  return "hal.unknown";
}

}  // namespace coffer::workload::hal

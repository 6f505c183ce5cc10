#pragma once

#include "base/result.h"

namespace coffer::workload::hal {

// What a guest's call of a HAL interface comes to. All but three are values that the guest gets as the text
// "code: sentence". The first two mean that it was built for another interface, and trap it; so does `stopped`, for its
// time is over.
enum class HalError {
  unknown_function,
  bad_arguments,    // not of the types of elastic:hal@0.1.0
  denied,           // this worker's operator does not allow it
  unsupported,      // nothing here can do it, whoever asks
  unavailable,      // this machine has none of it: a TEE, a GPU, a place to store
  bad_handle,       // a handle that was not given out, or was closed
  bad_value,        // of the right type, and out of its range
  limit,            // over a bound of this worker's
  not_found,        // no such object or recipient
  wrong_state,      // a socket that is not bound, connected or listening
  timeout,          // nothing came, or went, in the time that one call may take
  io,               // the system said no; the text has its reason
  stopped,          // the task is being stopped, or its time is up
  storage_refused,  // hal_storage_path of a start does not lie below a folder that the operator allows
};
std::string_view code_name(HalError code);

}  // namespace coffer::workload::hal

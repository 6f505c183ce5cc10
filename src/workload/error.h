#pragma once

#include "base/result.h"

namespace coffer::workload {

enum class WorkloadError {
  usage,            // settings that contradict each other or lack something
  no_tee,           // attestation is needed and no TEE was found or chosen
  not_encrypted,    // a plain image where an encrypted one was demanded
  runtime_missing,  // the external runtime cannot be started
  timeout,          // the external runtime ran over its wall time
  cancelled,        // the external runtime was stopped
  service_ended,    // an external runtime that should serve, and does not
  work_dir,         // a work directory cannot be used
  cache_key,        // the key of the compiled-module cache cannot be used
};
// "guest.no_tee": the codes are stable, and were given out under this name before runner and worker shared the code.
std::string_view code_name(WorkloadError code);

}  // namespace coffer::workload

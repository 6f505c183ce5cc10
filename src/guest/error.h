#pragma once

#include "base/result.h"

namespace coffer::guest {

enum class GuestError {
  usage,            // options that contradict each other or lack something
  no_tee,           // attestation is needed and no TEE was found or chosen
  not_encrypted,    // a plain image where an encrypted one was demanded
  runtime_missing,  // the external runtime cannot be started
  timeout,          // the external runtime ran over its wall time
  work_dir,         // the work directory cannot be used
  cache_key,        // the key of the compiled-module cache cannot be used
};
std::string_view code_name(GuestError code);

}  // namespace coffer::guest

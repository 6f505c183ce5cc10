#pragma once

#include "base/result.h"

namespace coffer::fleet::worker {

// What goes wrong in a worker beside what its parts say themselves; the names go out in results ("code").
enum class WorkerError {
  tee_not_available,    // encrypted work where this worker cannot prove itself; never run otherwise
  broker_not_allowed,   // a request names a key broker that is not on this worker's list
  tee_required,         // PROPLET_TEE_ENABLED=true on a machine without a TEE: the worker does not start
  encrypted_image,      // an encrypted image in a task that is not marked so
  no_trusted_key,       // a signature in a request, and nowhere a key to check it with
  not_precompiled,      // an invocation of a task that is not latent here
  argument_refused,     // a command-line argument that is not a task's to give
  unsupported,          // what this runtime cannot do
  http_disabled,        // a module that handles HTTP, where PROPLET_HTTP_ENABLED does not say that such may listen
  busy,                 // as many tasks wait as may
  stopped,              // by request, or because the worker ends
  exit_code,            // the module ended with a code that is not 0
  http_status,          // a module's address that answered with no module
  group_key_needs_tee,  // sealed payloads where this worker cannot prove itself: the worker does not start
  result_not_sent,      // the MQTT broker does not take a result: what is sent in its place
  module_too_large,
  aggregator_not_proven,  // a federated update that may leave sealed alone, and no aggregator that is believed
  plugin_denied,          // a plugin refused the task, for the reason in the text
  plugin_failed,          // a plugin trapped, hung or answered nothing that counts: the task is refused
  bad_plugin,             // a file or the directory of PROPLET_PLUGIN_DIR: the worker does not start
  update_refused,         // the aggregator does not count the update
};
std::string_view code_name(WorkerError code);

}  // namespace coffer::fleet::worker

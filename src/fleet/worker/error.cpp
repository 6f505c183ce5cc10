#include "fleet/worker/error.h"

namespace coffer::fleet::worker {

std::string_view code_name(WorkerError code) {
  switch (code) {
    case WorkerError::tee_not_available: return "worker.tee_not_available";
    case WorkerError::broker_not_allowed: return "worker.broker_not_allowed";
    case WorkerError::tee_required: return "worker.tee_required";
    case WorkerError::encrypted_image: return "worker.encrypted_image";
    case WorkerError::no_trusted_key: return "worker.no_trusted_key";
    case WorkerError::not_precompiled: return "worker.not_precompiled";
    case WorkerError::argument_refused: return "worker.argument_refused";
    case WorkerError::unsupported: return "worker.unsupported";
    case WorkerError::http_disabled: return "worker.http_disabled";
    case WorkerError::busy: return "worker.busy";
    case WorkerError::stopped: return "worker.stopped";
    case WorkerError::exit_code: return "worker.exit_code";
    case WorkerError::http_status: return "worker.http_status";
    case WorkerError::group_key_needs_tee: return "worker.group_key_needs_tee";
    case WorkerError::result_not_sent: return "worker.result_not_sent";
    case WorkerError::aggregator_not_proven: return "worker.aggregator_not_proven";
    case WorkerError::plugin_denied: return "worker.plugin_denied";
    case WorkerError::plugin_failed: return "worker.plugin_failed";
    case WorkerError::bad_plugin: return "worker.bad_plugin";
    case WorkerError::update_refused: return "worker.update_refused";
    case WorkerError::module_too_large: return "worker.module_too_large";
  }
  return "worker.unknown";
}

}  // namespace coffer::fleet::worker

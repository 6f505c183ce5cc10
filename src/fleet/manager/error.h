// What can be wrong with a request to the manager, or with what it was asked to do. Names and statuses are stable:
// names go out as "code", statuses are upstream's (propeller.md section 4.1).
#pragma once

#include "base/result.h"

namespace coffer::fleet::manager {

enum class ManagerError {
  // 400
  bad_request,  // a body, query or path that does not make sense; the message says where
  bad_cron,
  bad_time_zone,
  bad_graph,  // dependencies that are missing or go in a circle
  bad_module,
  // 401, 403, 404, 405, 409
  unauthenticated,
  forbidden,
  not_found,
  no_such_method,
  conflict,
  // 500, as upstream answers everything else
  already_started,
  not_running,
  unmet_dependencies,
  no_worker,           // nobody is alive
  no_eligible_worker,  // somebody is alive, and nobody may run this task
  broker_unavailable,  // there is no connection to the MQTT broker
  invoke_timeout,
  invoke_failed,
  coordinator_off,
  coordinator_failed,
  plugin_denied,
  plugin_failed,  // it trapped, took too long or answered nonsense where it decides
  too_large,
  internal,
  // Codes of tasks that failed without a worker's word
  worker_lost,
  result_lost,
  stopped,
  dependency_failed,
  // Start of the program
  bad_config,
  bad_plugin,
};
std::string_view code_name(ManagerError code);

// Of any error that a handler may meet, those of other libraries included.
int http_status(const Error& error);

}  // namespace coffer::fleet::manager
